import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CellSink } from '../../../systemscripts/cell-sink.ts'
import type { CopyPlan, OutputColumn } from '../../../systemscripts/copy-plan.ts'
import type { Grid, GridRow } from '../../../systemscripts/grid.ts'
import { tableOfGrid } from '../../../systemscripts/reading/grid-table.ts'
import { momentText } from '../../../systemscripts/spreadsheet/cell-values.ts'
import { numericText } from '../../../systemscripts/spreadsheet/xlsx/cell-value.ts'
import { createMomentBytes } from '../../../systemscripts/spreadsheet/xlsx/moment-bytes.ts'
import { createRowBuilder } from '../../../systemscripts/spreadsheet/xlsx/row-builder.ts'
import { createSheetScanner } from '../../../systemscripts/spreadsheet/xlsx/sheet-scanner.ts'
import { createStringStore } from '../../../systemscripts/spreadsheet/xlsx/string-store.ts'
import { readStyles } from '../../../systemscripts/spreadsheet/xlsx/styles.ts'
import { xmlWindows } from '../../../systemscripts/spreadsheet/xlsx/xml-window.ts'
import { rule } from '../values/rules.ts'

const FORMATS = ['General', 'yyyy-mm-dd', 'h:mm', '[h]:mm:ss', '00000']
const styles = readStyles(
  `<styleSheet><numFmts>${FORMATS.map((format, at) => `<numFmt numFmtId="${170 + at}" formatCode="${format}"/>`).join('')}</numFmts><cellXfs>${FORMATS.map((_, at) => `<xf numFmtId="${170 + at}"/>`).join('')}</cellXfs></styleSheet>`,
)
const TEXTS = [
  'x',
  'a,b',
  'he said "no"',
  'two\nlines',
  'tab\there',
  'back\\slash',
  'é',
  '東京',
  '\\N',
  ' y ',
  'x'.repeat(300),
  'y'.repeat(30_000),
  '',
]

const digits = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ min: 0, max: 80_000, noNaN: true }).map(String),
  // As Excel writes them.
  fc
    .tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: 14, max: 17 }))
    .map(([value, count]) => value.toPrecision(count)),
  fc.stringMatching(/^-?\d{0,20}(\.\d{0,25})?$/),
  fc.constantFrom(
    '',
    '-0',
    '007',
    '1.50',
    '.5',
    '5.',
    '-',
    '.',
    '1.0000000000000001',
    '0.10000000000000001',
    '0.1000000000000000055',
    '9007199254740993',
    '12345678901234567890',
  ),
)

describe('cells that are copied as bytes', () => {
  const written = fc.oneof(
    { weight: 4, arbitrary: fc.nat(TEXTS.length - 1).map((index) => (place: string) => `<c r="${place}" t="s"><v>${index}</v></c>`) },
    {
      weight: 4,
      arbitrary: fc.tuple(digits, fc.nat(FORMATS.length - 1)).map(
        ([raw, style]) =>
          (place: string) =>
            `<c r="${place}" s="${style}"><v>${raw}</v></c>`,
      ),
    },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom('plain', 'é', 'a &amp; b', '_x0000_', '_x0009_', '&#xD800;')
        .map((text) => (place: string) => `<c r="${place}" t="inlineStr"><is><t>${text}</t></is></c>`),
    },
    { weight: 1, arbitrary: fc.constant((place: string) => `<c r="${place}" t="str"><f>A1</f><v>formula</v></c>`) },
    { weight: 1, arbitrary: fc.constant((place: string) => `<c r="${place}" t="b"><v>1</v></c>`) },
  )
  const row = fc.record({
    cells: fc.array(fc.tuple(fc.constantFrom('A', 'B', 'C', 'D', 'D', 'F'), written), { maxLength: 6 }),
    isSorted: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    isHidden: fc.boolean(),
  })
  const file = (index: number, more: Partial<Extract<OutputColumn, { from: 'file' }>> = {}): OutputColumn => ({
    from: 'file',
    index,
    rule: null,
    ...more,
  })
  const all = [file(0), file(1), file(2), file(3)]
  const plans: Partial<CopyPlan>[] = [
    { output: 'csv', columns: all },
    { columns: all },
    { columns: [{ from: 'constant', value: '17\t\\' }, { from: 'line' }, ...all, { from: 'constant', value: null }] },
    { columns: [file(1), file(3)] },
    { columns: [file(0), file(1, { rule: rule('integer', { isRequired: true }) }), file(2)] },
    {
      columns: [
        file(0, { rule: rule('numeric', { format: '1.234,56' }) }),
        file(1, { rule: rule('date', { format: 'yyyy-dd-MM' }) }),
        file(2),
      ],
    },
    { columns: [file(0, { rule: rule('numeric') }), file(1, { rule: rule('character varying(3)') }), file(3, { rule: rule('boolean') })] },
    { columns: all, corrections: [{ sheet: null, line: 205, values: { two: 'corrected' } }] },
  ]

  test('are those of the same cells as texts, whatever stands in them and wherever a piece of the part ends', async () => {
    const property = fc.asyncProperty(
      fc.array(row, { minLength: 20, maxLength: 40 }),
      fc.constantFrom(...plans),
      fc.integer({ min: 40, max: 6000 }),
      fc.boolean(),
      async (rows, plan, length, skipHidden) => {
        const sheet = Buffer.from(sheetOf(rows))
        assert.deepEqual(await copied(sheet, plan, length, skipHidden, true), await copied(sheet, plan, length, skipHidden, false))
      },
    )
    await fc.assert(property, { numRuns: 80 })
  })

  test('fill a piece within a row that is refused in the end, and are not sent off before', async () => {
    const cell = (place: string): string => `<c r="${place}" t="s"><v>${TEXTS.length - 2}</v></c>`
    const wide = (columns: string[]) => ({
      cells: columns.map((column): [string, typeof cell] => [column, cell]),
      isSorted: true,
      isHidden: false,
    })
    const rows = Array.from({ length: 12 }, (_, at) => wide(at % 3 === 2 ? ['A', 'B', 'C', 'D', 'F'] : ['A', 'B', 'C', 'D']))
    const sheet = Buffer.from(sheetOf(rows))
    assert.deepEqual(await copied(sheet, { columns: all }, 50, false, true), await copied(sheet, { columns: all }, 50, false, false))
  })

  /** A header, enough plain rows to find it by, then the rows. */
  function sheetOf(rows: { cells: [string, (place: string) => string][]; isSorted: boolean; isHidden: boolean }[]): string {
    const header = ['one', 'two', 'three', 'four'].map((name) => `<c t="inlineStr"><is><t>${name}</t></is></c>`).join('')
    const plain = Array.from(
      { length: 199 },
      (_, at) => `<row r="${at + 2}"><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c><c><v>4</v></c></row>`,
    )
    const random = rows.map(({ cells, isSorted, isHidden }, at) => {
      const line = at + 201
      const inOrder = isSorted ? cells.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)) : cells
      return `<row r="${line}"${isHidden ? ' hidden="1"' : ''}>${inOrder.map(([column, write]) => write(`${column}${line}`)).join('')}</row>`
    })
    return `<worksheet><sheetData><row r="1">${header}</row>${plain.join('')}${random.join('')}</sheetData></worksheet>`
  }

  async function copied(sheet: Buffer, plan: Partial<CopyPlan>, length: number, skipHidden: boolean, asBytes: boolean): Promise<unknown> {
    const open = (): Grid => {
      let sink: CellSink | null = null
      const divert = (given: CellSink): void => {
        sink = given
      }
      const rows = rowsOf(sheet, length, () => sink)
      return { kind: 'xlsx', sheet: null, names: null, rows, ...(asBytes ? { divert } : {}) }
    }
    const options = { headerRow: null, headerRows: 1, range: null, skipHidden, endsWhen: null }
    const table = await tableOfGrid(open, options, 'book.xlsx')
    const pieces = await Array.fromAsync(
      table.copy({ output: 'copy', columns: [], emptyWhen: null, toldRejects: 1000, corrections: [], ...plan }),
    )
    return {
      text: Buffer.concat(pieces.map(({ bytes }) => bytes)).toString(),
      rejects: pieces.flatMap(({ rejects }) => rejects),
      rowsRead: pieces.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
      rowsWritten: pieces.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
    }
  }
})

test('a number has the text of its value, however it is written', async () => {
  const property = fc.asyncProperty(digits, fc.nat(FORMATS.length - 1), fc.boolean(), async (raw, style, is1904) => {
    const sheet = Buffer.from(`<worksheet><sheetData><row><c s="${style}"><v>${raw}</v></c></row></sheetData></worksheet>`)
    const rows = (await Array.fromAsync(rowsOf(sheet, 1000, () => null, is1904))).flat()
    const cellStyle = styles[style]
    assert.ok(cellStyle)
    assert.equal(rows[0]?.cells[0] ?? null, numericText(raw, cellStyle, is1904))
  })
  await fc.assert(property, { numRuns: 1500 })
})

test('a moment written as bytes has the text of a moment', () => {
  const moments = createMomentBytes()
  const serial = fc.oneof(
    fc.double({ noNaN: true, min: -10, max: 3_000_000 }),
    fc.integer({ min: -1, max: 2_958_470 }),
    fc.integer({ min: 0, max: 5_000_000 }).map((seconds) => 59 + seconds / 86_400),
    fc.constantFrom(0, -0, 1, 59, 60, 61, 0.999999999, 60.999999999, 2_958_465.9999, Number.NaN, Number.POSITIVE_INFINITY),
  )
  const property = fc.property(serial, fc.boolean(), (value, is1904) => {
    if (!moments.write(value, is1904)) return
    assert.equal(Buffer.from(moments.bytes.subarray(0, moments.length)).toString(), momentText(value, is1904))
  })
  fc.assert(property, { numRuns: 5000 })
  assert.ok(moments.write(45_292.5, false))
})

async function* rowsOf(sheet: Buffer, length: number, sink: () => CellSink | null, is1904 = false): AsyncGenerator<GridRow[]> {
  const strings = createStringStore()
  for (const text of TEXTS) strings.add(text)
  const builder = createRowBuilder({ strings, styles, is1904, factsUntilLine: 0, sink })
  const scanner = createSheetScanner(builder)
  for await (const window of xmlWindows(cut(sheet, length), 1e6, () => new Error('too large'))) {
    while (scanner.scan(window)) yield taken()
    if (builder.rows.length > 0) yield taken()
  }

  function taken(): GridRow[] {
    const { rows } = builder
    builder.rows = []
    builder.facts = []
    return rows
  }
}

async function* cut(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import * as XLSX from 'xlsx'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { readRichText } from '../../../systemscripts/spreadsheet/xlsx/rich-text.ts'
import { createRowBuilder } from '../../../systemscripts/spreadsheet/xlsx/row-builder.ts'
import { createSheetScanner } from '../../../systemscripts/spreadsheet/xlsx/sheet-scanner.ts'
import { createStringStore } from '../../../systemscripts/spreadsheet/xlsx/string-store.ts'
import { readStyles } from '../../../systemscripts/spreadsheet/xlsx/styles.ts'
import { xmlWindows } from '../../../systemscripts/spreadsheet/xlsx/xml-window.ts'
import { createCellReader } from '../cell-reader.ts'
import { book, bookParts, packed, rowsOf, valuesOf } from './packages.ts'

type Value = { text: string } | { number: number; style: number } | { truth: boolean } | null

const FORMATS = ['General', '0.00', 'yyyy-mm-dd', 'yyyy-mm-dd hh:mm:ss', 'h:mm', '[h]:mm:ss', '00000', '#,##0 "d"']
const STYLES = `<numFmts>${FORMATS.map((format, index) => `<numFmt numFmtId="${170 + index}" formatCode="${escaped(format)}"/>`).join('')}</numFmts><cellXfs>${FORMATS.map((_, index) => `<xf numFmtId="${170 + index}"/>`).join('')}</cellXfs>`

const text = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme', maxLength: 30 }).filter((value) => !/[\p{Cc}\ufffe\uffff]/u.test(value)),
  fc.constantFrom('00123', '1E5', 'TRUE', ' x ', 'a\nb', '<&>"\'', '_x0041_', ']]>', '__proto__', 'é', '東京', '🐎'),
)
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ text }) },
  {
    weight: 4,
    arbitrary: fc.record({
      number: fc.oneof(fc.integer({ min: 0, max: 80_000 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
      style: fc.nat(FORMATS.length - 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ truth: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant(null) },
)
const grid = fc.array(fc.array(value, { maxLength: 8 }), { minLength: 1, maxLength: 12 })

describe('random sheets are read back as they were written', () => {
  test('written byte by byte, in the many ways in which XML can say the same', async (t) => {
    const ways = fc.record({ seed: fc.nat(), prefix: fc.constantFrom('', '', 'x:'), is1904: fc.boolean() })
    const property = fc.asyncProperty(grid, ways, async (rows, way) => {
      const written = writeSheet(rows, way.prefix, way.seed)
      const properties = way.is1904 ? 'date1904="1"' : ''
      const found = await valuesOf(t, book({ ...written, styles: STYLES, properties }))
      assert.deepEqual(found, expected(rows, way.is1904))
    })
    await fc.assert(property, { numRuns: 150 })
  })

  test('in pieces that end anywhere', async () => {
    const property = fc.asyncProperty(
      grid,
      fc.constantFrom('', 'x:'),
      fc.nat(),
      fc.integer({ min: 1, max: 60 }),
      async (rows, prefix, seed, length) => {
        const { sheet, strings } = writeSheet(rows, prefix, seed)
        const context = {
          strings: createStringStore(),
          styles: readStyles(`<styleSheet>${STYLES}</styleSheet>`),
          is1904: false,
          factsUntilLine: 0,
          sink: () => null,
        }
        for (const [text = ''] of strings.matchAll(/<(x:)?si>.*?<\/(x:)?si>/gs)) {
          const bytes = Buffer.from(text)
          const window = { bytes, length: bytes.length, text: bytes.toString('latin1'), isAscii: false, isLast: true, used: 0 }
          context.strings.add(readRichText(window, 0)?.text ?? 'cut off')
        }
        const builder = createRowBuilder(context)
        const scanner = createSheetScanner(builder)
        for await (const window of xmlWindows(piecesOf(Buffer.from(sheet), length), 1e6, () => new Error('too large'))) {
          while (scanner.scan(window));
        }
        assert.deepEqual(
          builder.rows.map(({ cells }) => Array.from(cells, (cell) => cell ?? null)),
          expected(rows, false),
        )
      },
    )
    await fc.assert(property, { numRuns: 100 })
  })

  test('a table of texts that is longer than a piece', async (t) => {
    const texts = Array.from(
      { length: 30_000 },
      (_, index) => `${'é & <b> '.slice(0, index % 9)}${index} _x0041_ ${'🐎'.repeat(index % 3)}`,
    )
    const strings = texts.map((each) => `<si><t>${escaped(each.replace('_x', '_x005F_x'))}</t></si>`).join('')
    const cells = texts.map((_, index) => `<row><c t="s"><v>${index}</v></c></row>`).join('')
    const found = await valuesOf(t, book({ strings, sheet: `<sheetData>${cells}</sheetData>` }))
    assert.deepEqual(
      found,
      texts.map((each) => [each]),
    )
  })

  test('written by SheetJS', async (t) => {
    // SheetJS does not write the underscore of a text that looks like an escape as one.
    const plain = grid.map((rows) =>
      rows.map((row) => row.filter((cell) => cell === null || !('text' in cell) || !cell.text.includes('_x'))),
    )
    const property = fc.asyncProperty(plain, fc.boolean(), async (rows, usesTable) => {
      const cells = rows.map((row) => row.map(cellOf))
      const made = XLSX.utils.book_new()
      XLSX.utils.book_append_sheet(made, XLSX.utils.aoa_to_sheet(cells), 'S')
      const bytes = Buffer.from(XLSX.write(made, { type: 'buffer', bookType: 'xlsx', compression: true, bookSST: usesTable }))
      assert.deepEqual(await valuesOf(t, bytes), expected(rows, false))
    })
    await fc.assert(property, { numRuns: 60 })
  })
})

describe('damaged files end in a clear error or in the right rows, never otherwise', () => {
  const rows = Array.from({ length: 60 }, (_, row): Value[] => [
    { text: `text ${row}` },
    { number: row / 7, style: 0 },
    { truth: row % 2 === 0 },
    { text: 'same' },
  ])
  const parts = writeSheet(rows, '', 7)
  const inside = bookParts({ ...parts, styles: STYLES })
  const whole = packed(inside)
  const right = expected(rows, false)

  test('cut off', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => assert.equal(await outcome(whole.subarray(0, length)), 'refused')),
      { numRuns: 100 },
    )

    async function outcome(bytes: Buffer): Promise<string> {
      return await rowsOf(t, bytes).then(() => 'read', refusedOnly)
    }
  })

  test('bytes of the file changed', async (t) => {
    const changes = fc.array(fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 })
    const property = fc.asyncProperty(changes, async (changed) => {
      const bytes = Buffer.from(whole)
      for (const { at, byte } of changed) bytes[at] = byte
      const found = await valuesOf(t, bytes).catch(refusedOnly)
      if (found !== 'refused') assert.deepEqual(found, right)
    })
    await fc.assert(property, { numRuns: 300 })
  })

  test('bytes within the parts changed, with checksums that agree', async (t) => {
    const names = ['xl/worksheets/sheet1.xml', 'xl/sharedStrings.xml', 'xl/styles.xml', 'xl/workbook.xml', 'xl/_rels/workbook.xml.rels']
    const change = fc.record({
      name: fc.constantFrom(...names),
      share: fc.double({ min: 0, max: 0.9999, noNaN: true }),
      piece: fc.constantFrom('<', '>', '"', '/', '&', '<c', '</c>', '<row', '<!--', ']]>', '<![CDATA[', '\0', '=', ' r="ZZZZ9"', '\xff'),
      isCut: fc.boolean(),
    })
    const property = fc.asyncProperty(change, async ({ name, share, piece, isCut }) => {
      const part = Buffer.from(inside[name] ?? '')
      const at = Math.floor(part.length * share)
      const rest = isCut ? Buffer.alloc(0) : part.subarray(at + 1)
      const bytes = packed({ ...inside, [name]: Buffer.concat([part.subarray(0, at), Buffer.from(piece, 'latin1'), rest]) })
      await valuesOf(t, bytes).catch(refusedOnly)
    })
    await fc.assert(property, { numRuns: 500 })
  })

  function refusedOnly(error: unknown): 'refused' {
    if (error instanceof PermanentError) return 'refused'
    throw error
  }
})

async function* piecesOf(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** What SheetJS's cells of the same content are as text; blank rows and what is blank at the end of a row left out. */
function expected(rows: Value[][], is1904: boolean): (string | null)[][] {
  const reader = createCellReader(is1904)
  const texts = rows.map((row) => row.map((cell) => reader.text(cellOf(cell))))
  return texts.map((row) => row.slice(0, row.findLastIndex((cell) => cell !== null) + 1)).filter((row) => row.length > 0)
}

function cellOf(cell: Value): XLSX.CellObject {
  if (cell === null) return { t: 'z' }
  if ('text' in cell) return { t: 's', v: cell.text }
  if ('truth' in cell) return { t: 'b', v: cell.truth }
  return { t: 'n', v: cell.number, z: FORMATS[cell.style] ?? 'General' }
}

/** Ways of writing are drawn from the seed: places stated or not, table or inline, runs, comments, CDATA, numbers of characters, quotes. */
function writeSheet(rows: Value[][], prefix: string, seed: number): { sheet: string; strings: string } {
  let state = seed
  const draw = (sides: number): number => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    return (state >> 8) % sides
  }
  const table: string[] = []
  const body = rows.map((row, index) => {
    const cells = row.map((cell) => (cell === null && draw(2) === 0 ? null : writeCell(cell)))
    const isPlaced = cells.includes(null)
    const written = cells.map((cell, column) =>
      cell?.(isPlaced || draw(2) === 0 ? ` r=${quoted(`${XLSX.utils.encode_col(column)}${index + 1}`)}` : ''),
    )
    const number = isPlaced || draw(2) === 0 ? ` r=${quoted(String(index + 1))}` : ''
    return `<${prefix}row${number}>${written.join(draw(4) === 0 ? '\n  ' : '')}</${prefix}row>`
  })
  const space = prefix === '' ? 'xmlns' : `xmlns:${prefix.slice(0, -1)}`
  const main = `${space}="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
  return {
    sheet: `<${prefix}worksheet ${main}><${prefix}sheetData>${body.join('')}</${prefix}sheetData></${prefix}worksheet>`,
    strings: `<${prefix}sst ${main}>${table.join('')}</${prefix}sst>`,
  }

  function writeCell(cell: Value): (place: string) => string {
    if (cell === null) return (place) => `<${prefix}c${place}/>`
    if ('truth' in cell) return (place) => element('c', `${place} t="b"`, inValue(cell.truth ? '1' : '0'))
    if ('number' in cell) {
      const digits = draw(2) === 0 ? String(cell.number) : cell.number.toExponential()
      return (place) =>
        element('c', `${place} s=${quoted(String(cell.style))}`, draw(5) === 0 ? `<!-- 1 -->${inValue(digits)}` : inValue(digits))
    }
    if (draw(2) === 0) return (place) => element('c', `${place} t="inlineStr"`, element('is', '', richText(cell.text)))
    if (draw(4) === 0)
      return (place) => element('c', `${place} t="str"`, `${element('f', '', 'A1&amp;B1')}${inValue(characters(cell.text))}`)
    const index = table.push(element('si', '', richText(cell.text))) - 1
    return (place) => element('c', `${place} t="s"`, inValue(String(index)))
  }

  function richText(content: string): string {
    if (draw(3) > 0) return element('t', draw(2) === 0 ? ' xml:space="preserve"' : '', characters(content))
    const middle = [...content].slice(0, draw(5)).join('')
    // An escape is written in one run, or it would be two texts.
    const halves = content.includes('_') ? [content, ''] : [middle, content.slice(middle.length)]
    return (
      halves.map((half) => element('r', '', element('t', '', characters(half)))).join('') +
      element('rPh', ' sb="0" eb="1"', element('t', '', 'x'))
    )
  }

  function characters(content: string): string {
    const safe = content.replace(/_(?=x[0-9a-f]{4}_)/gi, '_x005F_')
    if (draw(6) === 0 && !safe.includes(']]>')) return `<![CDATA[${safe}]]>`
    if (draw(6) === 0) return [...safe].map((character) => `&#${character.codePointAt(0)};`).join('')
    return escaped(safe)
  }

  function inValue(content: string): string {
    return element('v', '', content)
  }

  function element(name: string, attributes: string, content: string): string {
    return `<${prefix}${name}${attributes}>${content}</${prefix}${name}>`
  }

  function quoted(content: string): string {
    return draw(5) === 0 ? `'${content}'` : `"${content}"`
  }
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

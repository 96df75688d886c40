/** Random sheets that SheetJS writes in every kind of workbook it knows, read back: the same texts in the same places. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BookType, CellObject } from 'xlsx'
import { createCellReader } from './cell-reader.ts'
import { readRows, written } from './read-workbook.ts'

type Kind = 'xls' | 'xlsb' | 'ods' | 'xml'

/** What a kind of workbook cannot hold is not asked of it. */
interface Way {
  bookType: BookType | 'biff3' | 'biff4'
  kind: Kind
  /** Characters beyond ASCII. */
  hasUnicode: boolean
  hasErrors: boolean
  formats: string[]
}

const FORMATS = ['General', '0.00', '0%', '#,##0.00', 'yyyy-mm-dd', 'yyyy-mm-dd hh:mm:ss', 'hh:mm:ss', '[h]:mm:ss', '00000', '0.00E+00']
const OF_OLD = { kind: 'xls', hasUnicode: false, hasErrors: true, formats: FORMATS } as const
const WAYS: Way[] = [
  { ...OF_OLD, bookType: 'biff8', hasUnicode: true },
  { ...OF_OLD, bookType: 'biff5' },
  { ...OF_OLD, bookType: 'biff4' },
  { ...OF_OLD, bookType: 'biff3' },
  { ...OF_OLD, bookType: 'biff2' },
  { bookType: 'xlsb', kind: 'xlsb', hasUnicode: true, hasErrors: true, formats: FORMATS },
  { bookType: 'xlml', kind: 'xml', hasUnicode: true, hasErrors: true, formats: FORMATS },
  { bookType: 'ods', kind: 'ods', hasUnicode: true, hasErrors: false, formats: ['General', '0.00'] },
  { bookType: 'fods', kind: 'ods', hasUnicode: true, hasErrors: false, formats: ['General', '0.00'] },
]

for (const way of WAYS) {
  test(`random sheets are read back as they were written: ${way.bookType}`, async (t) => {
    const property = fc.asyncProperty(sheetOf(way), async (sheet) => {
      const rows = await readRows(t, way.kind, written(way.bookType, { Data: sheet }))
      const found = rows.map(({ line, cells }) => [line, Array.from(cells, (text) => text ?? null)])
      assert.deepEqual(found, expected(sheet))
    })
    await fc.assert(property, { numRuns: 60 })
  })
}

function sheetOf({ hasUnicode, hasErrors, formats }: Way): fc.Arbitrary<(CellObject | null)[][]> {
  const words = fc.constantFrom('00123', '1E5', 'TRUE', 'NA', 'nan', '<&>"\'', ']]>', '__proto__', 'a  b', 'x'.repeat(200))
  const ascii = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `a${text.trim()}`)
  const unicode = fc
    .string({ minLength: 1, maxLength: 20, unit: 'grapheme-composite' })
    .filter((text) => !/[\p{Cc}\s\ud800-\udfff\ufffe\uffff]/u.test(text))
  const texts = hasUnicode ? fc.oneof(words, ascii, unicode) : fc.oneof(words, ascii)
  const numbers = fc.oneof(
    fc.integer({ min: 0, max: 80_000 }),
    fc.integer(),
    fc.double({ noNaN: true, min: -1e12, max: 1e12 }).filter(isWrittenWell),
  )
  const cell = fc.oneof(
    { weight: 4, arbitrary: texts.map((v): CellObject => ({ t: 's', v })) },
    { weight: 4, arbitrary: fc.record({ v: numbers, z: fc.constantFrom(...formats) }).map(({ v, z }): CellObject => ({ t: 'n', v, z })) },
    { weight: 1, arbitrary: fc.boolean().map((v): CellObject => ({ t: 'b', v })) },
    ...(hasErrors ? [{ weight: 1, arbitrary: fc.constantFrom(0, 7, 15, 23, 29, 36, 42).map((v): CellObject => ({ t: 'e', v })) }] : []),
    { weight: 2, arbitrary: fc.constant(null) },
  )
  return fc.array(fc.array(cell, { maxLength: 8 }), { minLength: 1, maxLength: 12 })
}

/** SheetJS writes some smaller ones as others. */
function isWrittenWell(value: number): boolean {
  return value === 0 || Math.abs(value) > 1e-9
}

/** By the rules of cell-values.ts, from the cells themselves. */
function expected(sheet: (CellObject | null)[][]): [number, (string | null)[]][] {
  const reader = createCellReader(false)
  return sheet.flatMap((row, index): [number, (string | null)[]][] => {
    const texts = row.map((cell) => reader.text(cell ?? undefined))
    while (texts.length > 0 && texts.at(-1) === null) texts.pop()
    return texts.length === 0 ? [] : [[index + 1, texts]]
  })
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type * as XLSX from 'xlsx'
import { readWorkbook } from '../../systemscripts/spreadsheet/read-workbook.ts'
import { readRows, refusalOf, rowsOf, textsOf, written } from './read-workbook.ts'
import { temporaryFile } from './test-files.ts'
import { number } from './workbooks.ts'

for (const bookType of ['biff8', 'biff5', 'xlsb'] as const) {
  describe(`texts of cells, ${bookType}`, () => {
    test('texts stay texts, numbers are exact, codes keep their zeros', async (t) => {
      const texts = ['00123', '1E5', 'TRUE', 'NA', '#N/A', ' x ', 'a\nb']
      assert.deepEqual(await textsOf(t, bookType, texts), texts)
      const cells = [number(1234.5, '#,##0.00'), number(0.1 + 0.2), number(0.12, '0%'), number(-7), number(1e-7), number(123, '00000')]
      assert.deepEqual(await textsOf(t, bookType, cells), ['1234.5', '0.30000000000000004', '0.12', '-7', '0.0000001', '00123'])
    })

    test('dates, times and durations are told by their formats, in both epochs', async (t) => {
      const cells = [
        number(45292, 'd/m/yy'),
        number(45292.5, 'yyyy-mm-dd hh:mm'),
        number(60, 'yyyy-mm-dd'),
        number(0.75, 'h:mm'),
        number(1.5625, '[h]:mm:ss'),
      ]
      assert.deepEqual(await textsOf(t, bookType, cells), ['2024-01-01', '2024-01-01 12:00:00', '1900-02-29', '18:00:00', '37:30:00'])
      const of1904 = [number(43830, 'yyyy-mm-dd'), number(0.5, 'h:mm')]
      assert.deepEqual(await textsOf(t, bookType, of1904, { WBProps: { date1904: true } }), ['2024-01-01', '12:00:00'])
    })

    test('truth, errors and empty texts', async (t) => {
      const cells: XLSX.CellObject[] = [
        { t: 'b', v: true },
        { t: 'b', v: false },
        { t: 'e', v: 0x2a },
        { t: 's', v: '' },
      ]
      assert.deepEqual(await textsOf(t, bookType, cells), ['true', 'false', '#N/A', null])
    })

    test('sheets are listed with those that are hidden, and rows keep their numbers', async (t) => {
      const bytes = written(bookType, { One: [['a']], Two: [[], [], ['b', null, 3]] }, { Sheets: [{ Hidden: 1 }, { Hidden: 0 }] })
      const kind = bookType === 'xlsb' ? 'xlsb' : 'xls'
      const workbook = await readWorkbook({ path: await temporaryFile(t, 'book', bytes), kind })
      assert.deepEqual(workbook.sheets, [
        { name: 'One', isHidden: true, hasCells: true },
        { name: 'Two', isHidden: false, hasCells: true },
      ])
      const [row] = await rowsOf(workbook.grid(1))
      assert.deepEqual([row?.line, Array.from(row?.cells ?? [], (cell) => cell ?? null)], [3, ['b', null, '3']])
      assert.equal((await rowsOf(workbook.grid(0))).length, 1)
    })
  })
}

describe('old workbooks', () => {
  test('a sheet of Excel 2, which is a file of its own, is read', async (t) => {
    const rows = await readRows(
      t,
      'xls',
      written('biff2', {
        Data: [
          ['id', 'price', 'ok'],
          [7, 1.25, true],
          ['x', -3, false],
        ],
      }),
    )
    assert.deepEqual(
      rows.map(({ cells }) => cells),
      [
        ['id', 'price', 'ok'],
        ['7', '1.25', 'true'],
        ['x', '-3', 'false'],
      ],
    )
  })

  test('texts before Excel 97 are in the code page that the workbook states, common or rare', async (t) => {
    for (const [codePage, bytes, text] of [
      [1251, 'cff0e8e2e5f2', 'Привет'],
      [932, '93648b43', '電気'],
      [437, '81e18a', 'üßè'],
      [10000, '8a9f', 'äü'],
    ] as const) {
      const content = bareSheet([
        record(0x42, u16(codePage)),
        record(0x204, u16(0), u16(0), u16(0), u16(bytes.length / 2), Buffer.from(bytes, 'hex')),
      ])
      assert.deepEqual((await readRows(t, 'xls', content))[0]?.cells, [text])
    }
  })

  test('hidden rows are marked, cells out of order are put in order, and a formula gives its stored value', async (t) => {
    const content = bareSheet([
      record(0x208, u16(1), Buffer.alloc(10), Buffer.from([0x20, 0, 0, 0])),
      record(0x203, u16(2), u16(0), u16(0), f64(3.5)),
      record(0x06, u16(1), u16(1), u16(0), Buffer.from('000000000000ffff', 'hex'), Buffer.alloc(8)),
      record(0x207, u16(3), Buffer.from('sum')),
      record(0x27e, u16(1), u16(0), u16(0), u32((1234 << 2) | 3)),
      record(0x06, u16(0), u16(0), u16(0), Buffer.from('020007000000ffff', 'hex'), Buffer.alloc(8)),
    ])
    assert.deepEqual(await readRows(t, 'xls', content), [
      { line: 1, cells: ['#DIV/0!'], typed: [false] },
      { line: 2, cells: ['12.34', 'sum'], typed: [true, false], isHidden: true },
      { line: 3, cells: ['3.5'], typed: [true] },
    ])
  })

  test('the numbers that a chart inside a sheet keeps are no cells', async (t) => {
    const chart = [record(0x809, u16(0x500), u16(0x20), u32(0)), record(0x203, u16(0), u16(0), u16(0), f64(99)), record(0x0a)]
    const content = bareSheet([record(0x203, u16(0), u16(0), u16(0), f64(1)), ...chart, record(0x203, u16(1), u16(0), u16(0), f64(2))])
    assert.deepEqual(
      (await readRows(t, 'xls', content)).map(({ cells }) => cells),
      [['1'], ['2']],
    )
  })

  test('long and wide texts go on over several records', async (t) => {
    const texts = Array.from({ length: 3000 }, (_, index) => `${index} ${'ж'.repeat(index % 40)}${'x'.repeat(index % 90)}`)
    const rows = await readRows(t, 'xls', written('biff8', { Data: texts.map((text) => [text]) }))
    assert.deepEqual(
      rows.map(({ cells }) => cells[0]),
      texts,
    )
  })

  test('a workbook of nothing but charts and macros says so', async (t) => {
    const sheets = [
      record(0x85, u32(0), Buffer.from([0, 2, 5]), Buffer.from('Chart')),
      record(0x85, u32(0), Buffer.from([0, 1, 5]), Buffer.from('Macro')),
    ]
    const content = Buffer.concat([record(0x809, u16(0x500), u16(5), u32(0)), ...sheets, record(0x0a)])
    const error = await refusalOf(readRows(t, 'xls', content))
    assert.equal(error.code, 'workbook_without_sheet')
    assert.match(error.detail ?? '', /"Chart", "Macro"/)
  })

  test('cut anywhere it is broken or whole, never fewer rows', async (t) => {
    const bytes = written('biff8', { Data: Array.from({ length: 400 }, (_, row) => [row, `text ${row}`]) })
    for (let share = 0.02; share < 1; share += 0.04) {
      const outcome = await readRows(t, 'xls', bytes.subarray(0, bytes.length * share)).catch((error) => error.code)
      if (Array.isArray(outcome)) assert.equal(outcome.length, 400)
      else assert.equal(outcome, 'workbook_broken')
    }
  })
})

function bareSheet(cells: Buffer[]): Buffer {
  return Buffer.concat([record(0x809, u16(0x500), u16(0x10), u32(0)), ...cells, record(0x0a)])
}

function record(id: number, ...parts: Buffer[]): Buffer {
  const data = Buffer.concat(parts)
  return Buffer.concat([u16(id), u16(data.length), data])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function f64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

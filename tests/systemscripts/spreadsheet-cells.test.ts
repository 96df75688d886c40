import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type * as XLSX from 'xlsx'
import { type ReadTableOptions, readTable } from '../../systemscripts/read-table.ts'
import { temporaryFile } from './test-files.ts'
import { type BookType, number, refusal, type Sheets, valuesOf, workbook } from './workbooks.ts'

const EXCEL_TYPES: BookType[] = ['xlsx', 'biff8', 'biff5']

for (const bookType of EXCEL_TYPES) {
  describe(`texts of cells, ${bookType}`, () => {
    test('texts stay as they are, also those that look like numbers, truth or nothing', async (t) => {
      const texts = ['00123', '1E5', 'TRUE', 'NA', '#N/A', ' x ', 'a\nb', '2024-01-01', '=1+1']
      assert.deepEqual(await valuesOf(t, bookType, texts), texts)
    })

    test('numbers are the shortest decimal that means the same, whatever their format shows', async (t) => {
      const cells = [
        number(1234.5, '#,##0.00'),
        number(3),
        number(0.1 + 0.2),
        number(0.12, '0%'),
        number(-7),
        number(1e-7),
        number(1e21),
        number(1.5, '0'),
      ]
      assert.deepEqual(await valuesOf(t, bookType, cells), [
        '1234.5',
        '3',
        '0.30000000000000004',
        '0.12',
        '-7',
        '0.0000001',
        '1000000000000000000000',
        '1.5',
      ])
    })

    test('a number in a format of zeros is a code and keeps them', async (t) => {
      const cells = [number(123, '00000'), number(123456789, '000-00-0000'), number(7, '0'), number(12.5, '00')]
      assert.deepEqual(await valuesOf(t, bookType, cells), ['00123', '123-45-6789', '7', '12.5'])
    })

    test('dates are ISO, with a time of day when they have one', async (t) => {
      const cells = [
        number(45292, 'd/m/yy'),
        number(45292.5, 'yyyy-mm-dd hh:mm'),
        number(45292.75, 'mmm-yy'),
        number(45292.000011574, 'yyyy-mm-dd hh:mm:ss'),
        number(45292.5 + 0.25 / 86_400, 'yyyy-mm-dd hh:mm:ss.000'),
      ]
      assert.deepEqual(await valuesOf(t, bookType, cells), [
        '2024-01-01',
        '2024-01-01 12:00:00',
        '2024-01-01 18:00:00',
        '2024-01-01 00:00:01',
        '2024-01-01 12:00:00.250',
      ])
    })

    test('no second is lost over a day of seconds', async (t) => {
      const seconds = Array.from({ length: 200 }, (_, index) => index * 431)
      const cells = seconds.map((second) => number(45292 + second / 86_400, 'yyyy-mm-dd hh:mm:ss'))
      const expected = seconds.map((second) => new Date(Date.UTC(2024, 0, 1, 0, 0, second)).toISOString().slice(0, 19).replace('T', ' '))
      expected[0] = '2024-01-01'
      assert.deepEqual(await valuesOf(t, bookType, cells), expected)
    })

    test('the first days of 1900 are Excel’s, with the 29th of February that never was', async (t) => {
      const cells = [1, 59, 60, 61].map((serial) => number(serial, 'yyyy-mm-dd'))
      assert.deepEqual(await valuesOf(t, bookType, cells), ['1900-01-01', '1900-02-28', '1900-02-29', '1900-03-01'])
    })

    test('times are hh:mm:ss and durations count hours beyond 24', async (t) => {
      const cells = [number(0.75, 'h:mm'), number(0.5, 'd/m/yy h:mm'), number(1.5625, '[h]:mm:ss'), number(0, 'hh:mm')]
      assert.deepEqual(await valuesOf(t, bookType, cells), ['18:00:00', '12:00:00', '37:30:00', '00:00:00'])
    })

    test('formats with letters in quotes, colours and currencies are no dates', async (t) => {
      const formats = ['0 "days"', '[Red]General', '#,##0.00 [$USD]', '0.00E+00', '[$$-409]#,##0', '@']
      assert.deepEqual(
        await valuesOf(
          t,
          bookType,
          formats.map((format) => number(45292, format)),
        ),
        formats.map(() => '45292'),
      )
    })

    test('truth, errors and empty cells', async (t) => {
      const cells: XLSX.CellObject[] = [
        { t: 'b', v: true },
        { t: 'b', v: false },
        { t: 'e', v: 0x2a },
        { t: 'e', v: 0x07 },
        { t: 's', v: '' },
        { t: 'z' },
      ]
      assert.deepEqual(await valuesOf(t, bookType, cells), ['true', 'false', '#N/A', '#DIV/0!', null, null])
    })

    test('the epoch of 1904 is honoured', async (t) => {
      const cells = [number(43830, 'yyyy-mm-dd'), number(0, 'yyyy-mm-dd'), number(0.5, 'h:mm')]
      assert.deepEqual(await valuesOf(t, bookType, cells, { WBProps: { date1904: true } }), ['2024-01-01', '1904-01-01', '12:00:00'])
    })
  })

  describe(`sheets, ${bookType}`, () => {
    const sheets: Sheets = { Secret: [['s'], ['1']], Budget: [['b'], ['2']], '02': [['two'], ['3']] }
    const hidden = { Sheets: [{ Hidden: 1 as const }, { Hidden: 0 as const }, { Hidden: 0 as const }] }

    test('the first sheet that is not hidden is read, or the one asked for by name or number', async (t) => {
      const path = await temporaryFile(t, 'book', workbook(sheets, bookType, hidden))
      const kind = bookType === 'xlsx' ? 'xlsx' : 'xls'
      const asked: [ReadTableOptions['sheet'], string][] = [
        [null, 'Budget'],
        ['budget', 'Budget'],
        ['Secret', 'Secret'],
        [1, 'Secret'],
        [2, 'Budget'],
        ['02', '02'],
        ['2', 'Budget'],
        ['3', '02'],
      ]
      for (const [sheet, name] of asked) {
        const table = await readTable(path, { kind, sheet: sheet ?? null })
        assert.equal(table.sheet, name)
        await table.close()
      }
    })

    test('a sheet that is not there is refused with the names of those that are', async (t) => {
      const path = await temporaryFile(t, 'book.xls', workbook(sheets, bookType, hidden))
      const error = await refusal(path, { kind: bookType === 'xlsx' ? 'xlsx' : 'xls', sheet: 'Budgt' })
      assert.equal(error.code, 'sheet_not_found')
      assert.equal(error.message, 'Workbook has no sheet "Budgt"')
      assert.equal(error.detail, 'File book.xls has sheets "Secret", "Budget", "02".')
    })
  })
}

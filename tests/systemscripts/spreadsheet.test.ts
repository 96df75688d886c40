import assert from 'node:assert/strict'
import { open, readFile, writeFile } from 'node:fs/promises'
import { describe, type TestContext, test } from 'node:test'
import * as XLSX from 'xlsx'
import { PermanentError } from '../../systemscripts/errors.ts'
import { readSpreadsheet, type SpreadsheetOptions } from '../../systemscripts/spreadsheet.ts'
import { allRows, allValues, temporaryFile, xlsxOf } from './test-files.ts'

type Sheets = Record<string, (XLSX.CellObject | string | number | boolean | null)[][]>
type BookType = 'xlsx' | 'biff8' | 'biff5'

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
      const asked: [SpreadsheetOptions['sheet'], string][] = [
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
        const table = await readSpreadsheet(path, { kind, sheet: sheet ?? null })
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

describe('the table in a sheet', () => {
  test('a title block and blank rows above the header are passed over, and rows keep their numbers', async (t) => {
    const table = await readBook(t, {
      Data: [['Open orders'], ['week', 12], [], ['id', 'name', 'price'], ['1', 'A', 2], [], ['2', 'B', 3]],
    })
    assert.deepEqual([table.headers, table.headerLine], [['id', 'name', 'price'], 4])
    assert.deepEqual(await allRows(table), [
      { line: 5, values: ['1', 'A', '2'] },
      { line: 7, values: ['2', 'B', '3'] },
    ])
  })

  test('a stated header row is taken, and one that is blank refused', async (t) => {
    const path = await temporaryFile(t, 'book.xlsx', workbook({ Data: [['x', 'y'], ['a', 'b'], [], ['1', '2']] }, 'xlsx'))
    const table = await readSpreadsheet(path, { kind: 'xlsx', headerRow: 2 })
    assert.deepEqual([table.headers, await allValues(table)], [['a', 'b'], [['1', '2']]])
    assert.equal((await refusal(path, { kind: 'xlsx', headerRow: 3 })).code, 'header_row_missing')
  })

  test('an empty sheet has no header', async (t) => {
    const path = await temporaryFile(t, 'book.xlsx', workbook({ Data: [] }, 'xlsx'))
    assert.equal((await refusal(path, { kind: 'xlsx' })).code, 'header_row_missing')
  })

  test('columns with neither name nor value are left out, a value without a name is kept', async (t) => {
    const table = await readBook(t, {
      Data: [
        [null, 'a', null, 'b', null, null],
        [null, '1', null, '2', null, '3'],
      ],
    })
    assert.deepEqual([table.headers, await allValues(table)], [['a', 'b', ''], [['1', '2', '3']]])
  })

  test('names are as shown: a month is no day, a year no decimal', async (t) => {
    const table = await readBook(t, {
      Data: [
        ['region', number(45292, 'mmm-yy'), number(2024), number(0.5, '0%')],
        ['N', 1, 2, 3],
      ],
    })
    assert.deepEqual(table.headers, ['region', 'Jan-24', '2024', '50%'])
  })

  test('a sheet that says it reaches to XFD1048576 and holds three cells is read at once', async (t) => {
    const cell = (place: string, text: string) => `<c r="${place}" t="inlineStr"><is><t>${text}</t></is></c>`
    const sheet = `<dimension ref="A1:XFD1048576"/><sheetData><row r="1">${cell('A1', 'a')}${cell('XFD1', 'z')}</row><row r="1048576">${cell('XFD1048576', 'end')}</row></sheetData>`
    const path = await temporaryFile(t, 'far.xlsx', xlsxOf(sheet))
    const table = await readSpreadsheet(path, { kind: 'xlsx', headerRow: 1 })
    assert.deepEqual(table.headers, ['a', 'z'])
    assert.deepEqual(await allRows(table), [{ line: 1_048_576, values: [null, 'end'] }])
  })

  test('formulas give the value that was stored with them, texts in several runs are joined, phonetics left out', async (t) => {
    const sheet =
      '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>sum</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c></row>' +
      '<row r="2"><c r="A2"><f>1+2</f><v>3</v></c><c r="B2" t="s"><v>0</v></c></row>' +
      '<row r="3"><c r="A3" t="str"><f>"x"</f><v>x</v></c><c r="B3"><f>never calculated</f></c></row></sheetData>'
    const strings =
      '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>東</t></r><r><t xml:space="preserve"> &amp; _x0041_</t></r><rPh sb="0" eb="1"><t>ヒガシ</t></rPh></si></sst>'
    const path = await temporaryFile(t, 'runs.xlsx', xlsxOf(sheet, { sharedStringsXml: strings }))
    assert.deepEqual(await allValues(await readSpreadsheet(path, { kind: 'xlsx' })), [
      ['3', '東 & A'],
      ['x', null],
    ])
  })
})

describe('broken, locked and oversized workbooks', () => {
  test('an .xlsx that lost its end is broken, wherever it was cut', async (t) => {
    const bytes = workbook(numbered(300), 'xlsx')
    for (const share of [0.1, 0.5, 0.9, 0.999]) {
      const path = await temporaryFile(t, 'cut.xlsx', bytes.subarray(0, bytes.length * share))
      assert.equal((await refusal(path, { kind: 'xlsx' })).code, 'workbook_broken')
    }
  })

  test('an .xls that lost its end is broken or gives all rows, never some', async (t) => {
    const bytes = workbook(numbered(300), 'biff8')
    for (let share = 0.05; share < 1; share += 0.05) {
      const path = await temporaryFile(t, 'cut.xls', bytes.subarray(0, bytes.length * share))
      const outcome = await readSpreadsheet(path, { kind: 'xls' })
        .then(allRows)
        .catch((error: PermanentError) => error.code)
      if (Array.isArray(outcome)) assert.equal(outcome.length, 300)
      else assert.equal(outcome, 'workbook_broken')
    }
  })

  test('a byte that changed on the way is noticed by the checksum', async (t) => {
    const path = await temporaryFile(t, 'book.xlsx', xlsxOf('<sheetData><row r="1"><c r="A1"><v>4711</v></c></row></sheetData>'))
    const bytes = await readFile(path)
    bytes[bytes.indexOf('4711')] = 0x35
    await writeFile(path, bytes)
    const error = await refusal(path, { kind: 'xlsx' })
    assert.equal(error.code, 'workbook_broken')
    assert.match(error.detail ?? '', /sheet1\.xml.*checksum/)
  })

  test('text that calls itself a workbook is broken', async (t) => {
    const path = await temporaryFile(t, 'fake', 'not a workbook at all, not at all')
    assert.equal((await refusal(path, { kind: 'xlsx' })).code, 'workbook_broken')
    assert.equal((await refusal(path, { kind: 'xls' })).code, 'workbook_broken')
  })

  test('a workbook whose parts unpack to more than allowed is refused before it is unpacked', async (t) => {
    const path = await temporaryFile(t, 'bomb.xlsx', workbook(numbered(3000), 'xlsx'))
    const error = await refusal(path, { kind: 'xlsx', limits: { maxUnpackedBytes: 50_000 } })
    assert.equal(error.code, 'workbook_too_large')
    assert.match(error.detail ?? '', /allowed are 50000/)
  })

  test('a workbook with more cells than allowed is refused', async (t) => {
    const path = await temporaryFile(t, 'cells.xlsx', workbook(numbered(300), 'xlsx'))
    assert.equal((await refusal(path, { kind: 'xlsx', limits: { maxCells: 100 } })).code, 'workbook_too_large')
  })

  test('a workbook that eats the memory ends its thread and not the process', async (t) => {
    const path = await temporaryFile(t, 'large.xls', workbook(numbered(30_000), 'biff8'))
    const error = await refusal(path, { kind: 'xls', limits: { memoryMb: 16 } })
    assert.equal(error.code, 'workbook_too_large')
    assert.match(error.detail ?? '', /16 MB/)
  })
})

describe('the thread', () => {
  test('while a workbook is read the event loop of the caller goes on', async (t) => {
    const path = await temporaryFile(t, 'large.xls', workbook(numbered(20_000), 'biff8'))
    let turns = 0
    const turning = setInterval(() => {
      turns += 1
    }, 1)
    t.after(() => clearInterval(turning))
    const table = await readSpreadsheet(path, { kind: 'xls' })
    assert.ok(turns > 20, `the loop turned ${turns} times only`)
    assert.equal((await allRows(table)).length, 20_000)
  })

  test('an abort ends it at once, before and between rows, with its reason', async (t) => {
    const path = await temporaryFile(t, 'large.xls', workbook(numbered(20_000), 'biff8'))
    const reason = new Error('enough')
    const early = new AbortController()
    const opening = readSpreadsheet(path, { kind: 'xls', signal: early.signal })
    early.abort(reason)
    await assert.rejects(opening, reason)
    const late = new AbortController()
    const table = await readSpreadsheet(path, { kind: 'xls', signal: late.signal })
    await assert.rejects(async () => {
      for await (const _ of table.rows) late.abort(reason)
    }, reason)
  })

  test('rows cross in batches, and a loop left early ends it', async (t) => {
    const table = await readBook(t, numbered(2000))
    for await (const batch of table.rows) {
      assert.equal(batch.length, 500)
      break
    }
    await table.close()
  })

  test('a file that is not there is an error of its own', async () => {
    await assert.rejects(readSpreadsheet('/nowhere/book.xlsx', { kind: 'xlsx' }), { code: 'ENOENT' })
  })

  test('the file is closed once the table is there', async (t) => {
    const path = await temporaryFile(t, 'book.xlsx', workbook(numbered(10), 'xlsx'))
    const table = await readSpreadsheet(path, { kind: 'xlsx' })
    const file = await open(path, 'r+')
    await file.truncate(0)
    await file.close()
    assert.equal((await allRows(table)).length, 10)
  })
})

function number(value: number, format?: string): XLSX.CellObject {
  return format === undefined ? { t: 'n', v: value } : { t: 'n', v: value, z: format }
}

function numbered(rows: number): Sheets {
  return { Data: [['id', 'code', 'price'], ...Array.from({ length: rows }, (_, row) => [row, `text ${row}`, row / 7])] }
}

function workbook(sheets: Sheets, bookType: BookType, properties: XLSX.WBProps = {}): Buffer {
  const book = XLSX.utils.book_new()
  for (const [name, rows] of Object.entries(sheets))
    XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows, { dense: true }), name)
  book.Workbook = properties
  return Buffer.from(XLSX.write(book, { type: 'buffer', bookType, compression: true }))
}

async function readBook(t: TestContext, sheets: Sheets) {
  return readSpreadsheet(await temporaryFile(t, 'book.xlsx', workbook(sheets, 'xlsx')), { kind: 'xlsx' })
}

/** The texts of these cells, which stand under each other beside a column of names. */
async function valuesOf(t: TestContext, bookType: BookType, cells: (XLSX.CellObject | string)[], properties: XLSX.WBProps = {}) {
  const rows = [['name', 'value'], ...cells.map((cell, index) => [`name ${index}`, cell])]
  const path = await temporaryFile(t, 'book', workbook({ Data: rows }, bookType, properties))
  const values = await allValues(await readSpreadsheet(path, { kind: bookType === 'xlsx' ? 'xlsx' : 'xls' }))
  return values.map((row) => row[1] ?? null)
}

async function refusal(path: string, options: SpreadsheetOptions): Promise<PermanentError> {
  try {
    await allRows(await readSpreadsheet(path, options))
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}

import assert from 'node:assert/strict'
import { open, readFile, writeFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import type { PermanentError } from '../../systemscripts/errors.ts'
import { readTable } from '../../systemscripts/read-table.ts'
import { allRows, allValues, temporaryFile, xlsxOf } from './test-files.ts'
import { number, numbered, readBook, refusal, workbook } from './workbooks.ts'

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
    const table = await readTable(path, { kind: 'xlsx', headerRow: 2 })
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
    const table = await readTable(path, { kind: 'xlsx', headerRow: 1 })
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
    assert.deepEqual(await allValues(await readTable(path, { kind: 'xlsx' })), [
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
      const outcome = await readTable(path, { kind: 'xls' })
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

  test('text that calls itself a workbook is none', async (t) => {
    const path = await temporaryFile(t, 'fake', 'not a workbook at all, not at all')
    for (const kind of ['xlsx', 'xls'] as const) assert.equal((await refusal(path, { kind })).code, 'file_kind_differs')
  })

  test('a workbook whose parts unpack to more than allowed is refused before it is unpacked', async (t) => {
    const path = await temporaryFile(t, 'bomb.xlsx', workbook(numbered(3000), 'xlsx'))
    const error = await refusal(path, { kind: 'xlsx', limits: { maxUnpackedBytes: 50_000 } })
    assert.equal(error.code, 'workbook_too_large')
    assert.match(error.detail ?? '', /allowed are 50000/)
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
    const table = await readTable(path, { kind: 'xls' })
    assert.ok(turns > 20, `the loop turned ${turns} times only`)
    assert.equal((await allRows(table)).length, 20_000)
  })

  test('an abort ends it at once, before and between rows, with its reason', async (t) => {
    const path = await temporaryFile(t, 'large.xls', workbook(numbered(20_000), 'biff8'))
    const reason = new Error('enough')
    const early = new AbortController()
    const opening = readTable(path, { kind: 'xls', signal: early.signal })
    early.abort(reason)
    await assert.rejects(opening, reason)
    const late = new AbortController()
    const table = await readTable(path, { kind: 'xls', signal: late.signal })
    await assert.rejects(async () => {
      for await (const _ of table.rows) late.abort(reason)
    }, reason)
  })

  test('rows cross in batches, and a loop left early ends it', async (t) => {
    const table = await readBook(t, numbered(2000))
    for await (const batch of table.rows) {
      assert.ok(batch.length <= 1000)
      break
    }
    await table.close()
  })

  test('a file that is not there is an error of its own', async () => {
    await assert.rejects(readTable('/nowhere/book.xlsx', { kind: 'xlsx' }), { code: 'ENOENT' })
  })

  test('the file is closed once the table is there', async (t) => {
    const path = await temporaryFile(t, 'book.xlsx', workbook(numbered(10), 'xlsx'))
    const table = await readTable(path, { kind: 'xlsx' })
    const file = await open(path, 'r+')
    await file.truncate(0)
    await file.close()
    assert.equal((await allRows(table)).length, 10)
  })
})

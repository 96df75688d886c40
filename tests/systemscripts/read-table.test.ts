import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { unlink } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { openTables, readCells, readTable } from '../../systemscripts/read-table.ts'
import type { Table } from '../../systemscripts/table.ts'
import { planOf } from './reading/copies.ts'
import { allValues, temporaryFile, xlsxOf, zipOf } from './test-files.ts'
import { number, workbook } from './workbooks.ts'

const page = '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>'

describe('the first table of a file', () => {
  test('is read as its bytes say: a web page named .xls is a web page', async (t) => {
    const table = await readTable(await temporaryFile(t, 'export.xls', page))
    assert.deepEqual([table.kind, table.headers, await allValues(table)], ['html', ['a', 'b'], [['1', '2']]])
  })

  test('may be tabbed text named .xls, which is a CSV', async (t) => {
    const table = await readTable(await temporaryFile(t, 'export.xls', 'a\tb\n1\t2\n'))
    assert.deepEqual([table.kind, table.headers, await allValues(table)], ['csv', ['a', 'b'], [['1', '2']]])
  })

  test('is refused when its stated kind is not what the bytes say', async (t) => {
    const path = await temporaryFile(t, 'export.xls', page)
    await assert.rejects(readTable(path, { kind: 'xls' }), { code: 'file_kind_differs', message: 'File "export.xls" is html, not xls' })
  })

  test('is read by the options that its kind knows; the others are passed over', async (t) => {
    const csv = await readTable(await temporaryFile(t, 'a.csv', 'x^y\na^b\n1^2\n'), { delimiter: '^', headerRow: 2, sheet: 'any' })
    assert.deepEqual([csv.headers, await allValues(csv)], [['a', 'b'], [['1', '2']]])
    const cell = '<c t="inlineStr"><is><t>a</t></is></c>'
    const path = await temporaryFile(t, 'a.xlsx', xlsxOf(`<sheetData><row r="1">${cell}</row><row r="2"><c><v>5</v></c></row></sheetData>`))
    const book = await readTable(path, { kind: 'xlsx', sheet: 'Data', delimiter: '^' })
    assert.deepEqual([book.sheet, book.headers, await allValues(book)], ['Data', ['a'], [['5']]])
  })

  test('comes with its first rows, which are read again with the others', async (t) => {
    const table = await readTable(await temporaryFile(t, 'a.csv', `a,b\n${'1,2\n'.repeat(500)}`))
    assert.deepEqual([table.sample.length, table.sample[0]], [200, { line: 2, values: ['1', '2'] }])
    assert.equal((await allValues(table)).length, 500)
  })

  test('is copied as bytes by the same thread', async (t) => {
    const path = await temporaryFile(
      t,
      'a.xlsx',
      workbook(
        {
          Data: [
            ['a', 'b'],
            ['x\ty', 2.5],
            [null, 'z'],
          ],
        },
        'xlsx',
      ),
    )
    const table = await readTable(path)
    const { format, pieces } = await table.copy(planOf(table.headers))
    let text = ''
    for await (const piece of pieces) text += Buffer.from(piece.bytes).toString()
    assert.deepEqual([format, text], [{ format: 'text' }, 'x\\ty\t2.5\n\\N\tz\n'])
  })
})

describe('several tables', () => {
  const book = workbook(
    {
      Q1: [
        ['id', 'n'],
        ['1', 1],
      ],
      Hidden: [
        ['id', 'n'],
        ['2', 2],
      ],
      Q2: [
        ['id', 'n'],
        ['3', 3],
      ],
      Blank: [],
    },
    'xlsx',
    { Sheets: [{}, { Hidden: 1 }, {}, {}] },
  )

  test('are the sheets that are asked for, in the order of the workbook; blank ones are passed over', async (t) => {
    const path = await temporaryFile(t, 'a.xlsx', book)
    const asked = async (sheet: string | number | null) => sheetsOf(openTables(path, { sheet }))
    assert.deepEqual(await asked('*'), [
      ['Q1', [['1', '1']]],
      ['Q2', [['3', '3']]],
    ])
    assert.deepEqual(await asked('/^(Q2|Hidden)$/'), [
      ['Hidden', [['2', '2']]],
      ['Q2', [['3', '3']]],
    ])
    assert.deepEqual(await asked(null), [['Q1', [['1', '1']]]])
    assert.deepEqual(await asked(3), [['Q2', [['3', '3']]]])
    await assert.rejects(asked('/nothing/'), { code: 'sheet_not_found', message: 'Workbook has no sheet "/nothing/"' })
    await assert.rejects(asked('/[/'), { code: 'sheet_pattern_invalid' })
    await assert.rejects(asked('/^(Q+)+$/'), { code: 'sheet_pattern_invalid', detail: /for ever/ })
    await assert.rejects(asked('Blank'), { code: 'header_row_missing' })
  })

  test('are the members of an archive, whatever they are', async (t) => {
    const path = await temporaryFile(t, 'all.zip', zipOf({ 'b/two.xlsx': book, 'a.csv': 'x;y\n1;2\n', 'c.html': page }))
    assert.deepEqual(await sheetsOf(openTables(path)), [
      ['a.csv', [['1', '2']]],
      ['b/two.xlsx/Q1', [['1', '1']]],
      ['c.html', [['1', '2']]],
    ])
    const one = await temporaryFile(t, 'a.csv.gz', gzipSync('x;y\n1;2\n'))
    assert.deepEqual(await sheetsOf(openTables(one)), [[null, [['1', '2']]]])
  })

  test('may be left for the next one half way, and not come back to', async (t) => {
    const path = await temporaryFile(t, 'a.zip', zipOf({ 'a.csv': `x\n${'1\n'.repeat(100_000)}`, 'b.csv': 'x\n2\n' }))
    const tables: Table[] = []
    for await (const table of openTables(path)) {
      tables.push(table)
      for await (const _ of table.rows) break
    }
    assert.deepEqual(
      tables.map(({ sheet }) => sheet),
      ['a.csv', 'b.csv'],
    )
    await assert.rejects(tables[0]?.copy(planOf(['x'])) ?? Promise.resolve(), /was left/)
  })
})

test('cells are told with sheet, row, column and type', async (t) => {
  const path = await temporaryFile(t, 'a.xlsx', workbook({ S: [['id'], [], [null, number(45292, 'yyyy-mm-dd'), 1.5, true]] }, 'xlsx'))
  const cells = await Array.fromAsync(readCells(path)).then((batches) => batches.flat())
  assert.deepEqual(cells, [
    { sheet: 'S', row: 1, column: 1, type: 'text', value: 'id', text: 'id' },
    { sheet: 'S', row: 3, column: 2, type: 'date', value: '2024-01-01', text: '2024-01-01' },
    { sheet: 'S', row: 3, column: 3, type: 'number', value: 1.5, text: '1.5' },
    { sheet: 'S', row: 3, column: 4, type: 'boolean', value: true, text: 'true' },
  ])
  const csv = await temporaryFile(t, 'a.csv', 'a,b\n1,\n')
  const texts = await Array.fromAsync(readCells(csv, { cellRange: 'A1:B1' })).then((batches) => batches.flat())
  assert.deepEqual(
    texts.map(({ row, column, type, text }) => [row, column, type, text]),
    [
      [1, 1, 'text', 'a'],
      [1, 2, 'text', 'b'],
    ],
  )
})

describe('the reading threads', () => {
  test('read nothing for a signal that is already aborted', async (t) => {
    const path = await temporaryFile(t, 'a.csv', 'a,b\n')
    const reason = new Error('enough')
    await assert.rejects(readTable(path, { signal: AbortSignal.abort(reason) }), reason)
  })

  test('end at once when aborted, while opening and between pieces, with the reason', async (t) => {
    const path = await temporaryFile(t, 'big.csv', `a,b\n${'some,text\n'.repeat(1_000_000)}`)
    const reason = new Error('enough')
    const early = new AbortController()
    const opening = readTable(path, { signal: early.signal })
    early.abort(reason)
    await assert.rejects(opening, reason)
    const late = new AbortController()
    const table = await readTable(path, { signal: late.signal })
    const { pieces } = await table.copy(planOf(table.headers))
    await assert.rejects(async () => {
      for await (const _ of pieces) late.abort(reason)
    }, reason)
    assert.equal((await allValues(await readTable(path, { endsWhen: 'nothing' }))).length, 1_000_000)
  })

  test('run ahead of a slow taker by a few pieces only', async (t) => {
    const path = await temporaryFile(t, 'big.csv', `a,b\n${'some,text that is longer\n'.repeat(1_000_000)}`)
    const table = await readTable(path)
    const { pieces } = await table.copy(planOf(table.headers))
    const before = process.memoryUsage().arrayBuffers
    for await (const _ of pieces) break
    assert.ok(process.memoryUsage().arrayBuffers - before < 3 * 1024 * 1024)
  })

  test('tell of a broken file from within the rows, and serve the next one', async (t) => {
    const broken = await temporaryFile(t, 'broken.csv', `a,b\n${'1,2\n'.repeat(400)}"open,2\n`)
    for (let times = 0; times < 3; times += 1) {
      const table = await readTable(broken)
      await assert.rejects(allValues(table), { code: 'quote_not_closed', message: /line 402/ })
    }
    assert.deepEqual(await allValues(await readTable(await temporaryFile(t, 'a.csv', 'a\n1\n'))), [['1']])
  })

  test('take an error of the system for what it is', async (t) => {
    const path = await temporaryFile(t, 'a.csv', 'a\n1\n')
    await unlink(path)
    await assert.rejects(readTable(path), { code: 'ENOENT' })
  })

  test('never hold up the caller: the loop goes on while a million rows are read', async (t) => {
    const path = await temporaryFile(t, 'big.csv', `a,b\n${'some,text that is longer\n'.repeat(1_000_000)}`)
    const table = await readTable(path)
    const { pieces } = await table.copy(planOf(table.headers))
    let turns = 0
    const turning = setInterval(() => {
      turns += 1
    }, 1)
    t.after(() => clearInterval(turning))
    for await (const _ of pieces);
    assert.ok(turns > 5, `the loop turned ${turns} times only`)
  })

  test('that wait for work, or whose table nobody goes on reading, do not keep a process alive', async (t) => {
    const path = await temporaryFile(t, 'a.csv', `a\n${'1\n'.repeat(100_000)}`)
    const module = fileURLToPath(new URL('../../systemscripts/read-table.ts', import.meta.url))
    const script = `const { readTable } = await import(${JSON.stringify(module)})
      for await (const _ of (await readTable(${JSON.stringify(path)})).rows);
      await readTable(${JSON.stringify(path)})
      console.log('done')`
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000, encoding: 'utf8' })
    assert.deepEqual([ended.stdout, ended.status], ['done\n', 0])
  })
})

async function sheetsOf(tables: AsyncIterable<Table>): Promise<[string | null, (string | null)[][]][]> {
  const found: [string | null, (string | null)[][]][] = []
  for await (const table of tables) found.push([table.sheet, await allValues(table)])
  return found
}

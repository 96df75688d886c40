import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { openTables, readTable } from '../../systemscripts/read-table.ts'
import { writeCsv } from '../../systemscripts/write-csv.ts'
import { allValues, temporaryFile } from './test-files.ts'
import { workbook } from './workbooks.ts'

describe('a table written as CSV', () => {
  test('is read again as it was, when it has one column', async (t) => {
    const piece = fc.constantFrom('a', ' ', '"', ',', ';', '\t', '|', '^', '~', ':', '\x01', "'", '\n', '\r\n', 'sep=;', 'é', '0')
    const value = fc.oneof(
      fc.constantFrom(null, null, '', 'x;y', '10:20:30', "'quoted'"),
      fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 30 }), async (values) => {
        const source = `name\n${values.map((text) => (text === null ? ',' : `"${text.replaceAll('"', '""')}"`)).join('\n')}\n`
        const from = await temporaryFile(t, 'from.csv', source)
        const to = join(dirname(from), 'to.csv')
        await writeCsv(await readTable(from, { delimiter: ',', quote: '"', headerRow: 1 }), to)
        const again = await readTable(to, { headerRow: 1 })
        assert.deepEqual(again.headers, ['name'])
        assert.deepEqual(
          await allValues(again),
          values.map((text) => [text]),
        )
      }),
      { numRuns: 100 },
    )
  })

  test('keeps null and empty text apart', async (t) => {
    const from = await temporaryFile(t, 'from.csv', 'a,b\n,""\n"",\n"x,y","two\nlines"\n')
    const to = join(dirname(from), 'to.csv')
    await writeCsv(await readTable(from), to)
    assert.equal(await readFile(to, 'utf8'), 'a,b\n,""\n"",\n"x,y","two\nlines"\n')
  })

  test('has every column in which a value stands, those without a name called by their place', async (t) => {
    const rows = Array.from({ length: 3000 }, (_, row) => [row, 'x', ...(row === 2500 ? [null, 'late'] : [])])
    const from = await temporaryFile(t, 'from.xlsx', workbook({ Data: [['a', 'b'], ...rows] }, 'xlsx'))
    const to = join(dirname(from), 'to.csv')
    assert.deepEqual(await writeCsv(await readTable(from), to), {
      rows: 3000,
      columns: 3,
      sizeBytes: (await readFile(to)).length,
      warnings: [],
    })
    const again = await readTable(to)
    assert.deepEqual(again.headers, ['a', 'b', 'column_4'])
    assert.deepEqual((await allValues(again)).slice(2499, 2502), [
      ['2499', 'x', null],
      ['2500', 'x', 'late'],
      ['2501', 'x', null],
    ])
  })

  test('has them in each of several sheets, and of a member of an archive', async (t) => {
    const late = (word: string) => [['a', 'b'], ...Array.from({ length: 300 }, (_, row) => [row, 'x', ...(row === 290 ? [word] : [])])]
    const path = await temporaryFile(t, 'from.xlsx', workbook({ One: late('first'), Two: late('second') }, 'xlsx'))
    const words: (string | null | undefined)[] = []
    for await (const table of openTables(path, { sheet: '*' })) {
      const to = join(dirname(path), `${table.sheet}.csv`)
      await writeCsv(table, to)
      words.push((await allValues(await readTable(to)))[290]?.[2])
    }
    assert.deepEqual(words, ['first', 'second'])
    const packed = await temporaryFile(t, 'from.csv.gz', gzipSync(`a,b\n${'1,2\n'.repeat(300)}3,4,late\n`))
    const to = join(dirname(packed), 'to.csv')
    await writeCsv(await readTable(packed), to)
    assert.deepEqual((await allValues(await readTable(to))).at(-1), ['3', '4', 'late'])
  })
})

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readTable } from '../../systemscripts/read-table.ts'
import { writeCsv } from '../../systemscripts/write-csv.ts'
import { allValues, temporaryFile } from './test-files.ts'

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
})

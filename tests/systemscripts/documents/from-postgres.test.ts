import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import XLSX from 'xlsx'
import { csvDocument } from '../../../systemscripts/documents/csv-document.ts'
import { jsonDocument } from '../../../systemscripts/documents/json-document.ts'
import { plainTable } from '../../../systemscripts/documents/plain-table.ts'
import type { RowSource } from '../../../systemscripts/documents/row-source.ts'
import { xlsxDocument } from '../../../systemscripts/documents/xlsx-document.ts'
import { freshDatabase } from '../../helpers/database.ts'
import { bytesOf, textOf } from './row-sources.ts'

const ALL_KINDS = `
  select true                                                     as yes,
         9223372036854775807::bigint                              as large,
         -12.50::numeric(8,2)                                     as price,
         0.1::float8                                              as share,
         date '2026-03-01'                                        as day,
         timestamptz '2026-03-01 08:00:00.25+01'                  as at,
         time '08:30'                                             as clock,
         interval '26 hours 1 second'                             as took,
         '{"a": 1}'::jsonb                                        as doc,
         array['a', 'b']                                          as list,
         '=1+1'::text                                             as formula,
         null::text                                               as nothing`

test('what Postgres writes is read as it is meant, in every kind of document', async (t) => {
  const source = await answerOf(t, ALL_KINDS)
  assert.equal(
    await textOf(csvDocument(source(), { byteOrderMark: false })),
    'yes,large,price,share,day,at,clock,took,doc,list,formula,nothing\r\n' +
      't,9223372036854775807,-12.50,0.1,2026-03-01,2026-03-01 07:00:00.25+00,08:30:00,26:00:01,"{""a"": 1}","{a,b}",\'=1+1,\r\n',
  )
  assert.equal(
    await textOf(jsonDocument(source())),
    '[\n{"yes":true,"large":9223372036854775807,"price":-12.50,"share":0.1,"day":"2026-03-01","at":"2026-03-01T07:00:00.25+00:00",' +
      '"clock":"08:30:00","took":"26:00:01","doc":{"a": 1},"list":"{a,b}","formula":"=1+1","nothing":null}\n]\n',
  )
  const { Sheet1 } = XLSX.read(await bytesOf(xlsxDocument(source(), { name: 'Sheet1' })), { type: 'buffer' }).Sheets
  assert.deepEqual(
    ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L'].map((letter) => Sheet1?.[`${letter}2`]?.t),
    ['b', 's', 'n', 'n', 'n', 'n', 'n', 'n', 's', 's', 's', undefined],
  )
  assert.match((await plainTable(source())).text, /true {2}9223372036854775807 {2}-12\.50/)
})

/** The answer in Postgres's own text, to be walked as often as wanted. */
async function answerOf(t: Parameters<typeof freshDatabase>[0], query: string): Promise<() => RowSource> {
  const { url } = await freshDatabase(t)
  const client = new Client({ connectionString: url, options: '-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC' })
  await client.connect()
  try {
    const types = { getTypeParser: () => (value: string | Buffer) => String(value) }
    const { fields, rows } = await client.query<(string | null)[]>({ text: query, rowMode: 'array', types })
    const columns = fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }))
    return () => ({ columns, rows: once(rows) })
  } finally {
    await client.end()
  }
}

async function* once(rows: (string | null)[][]): AsyncGenerator<(string | null)[][]> {
  yield rows
}

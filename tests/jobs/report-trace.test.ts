import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportBench } from './report-harness.ts'

test('the trace of a dataset reaches the report that used it and its readers, through views and functions too', async (t) => {
  const { report, run, dba, database } = await reportBench(t)
  await dba(`create view feeds.big_order as select * from feeds.orders where amount > 3`)
  await dba(`create function feeds.inner_orders() returns setof feeds.orders language sql as 'select * from feeds.orders'`)
  await dba(
    `create function feeds.all_orders() returns setof feeds.orders language plpgsql as 'begin return query select * from feeds.inner_orders(); end'`,
  )
  await dba(`create table feeds.other as select 1 as a`)
  await dba('grant select on all tables in schema feeds to rota_query')
  const dataset = async (table: string, state: string) => {
    const [row] = await database.query<{ dataset_id: number }>(
      `with f as (insert into dba.file (origin, file_name, path, size_bytes, sha256, state) values ('folder', $1 || '.csv', '/x/' || $1 || $2, 1, $1 || $2, 'loaded') returning file_id)
       insert into dba.dataset (datasource, datasettype, label, dataset_date, state, target_table, file_id, valid_from, valid_to)
       select 'shop', 'file', $1 || $2, current_date, $2, $1, file_id, clock_timestamp() - interval '2 h', case when $2 = 'superseded' then clock_timestamp() - interval '1 h' end from f
       returning dataset_id`,
      [table, state],
    )
    return row?.dataset_id
  }
  await database.query(
    `insert into dba.datasource (datasource) values ('shop'); insert into dba.datasettype (datasettype) values ('file') on conflict do nothing`,
  )
  const former = await dataset('feeds.orders', 'superseded')
  const now = await dataset('feeds.orders', 'active')
  const other = await dataset('feeds.other', 'active')
  await report(
    { to_addresses: ['ann@example.com', 'bob@example.com'] },
    { seen: 'select * from feeds.big_order', called: 'select count(*) from feeds.all_orders()' },
  )
  assert.equal((await run()).state, 'succeeded')
  assert.deepEqual(await dba('select query_names, table_name from dba.reportsource'), [
    { query_names: ['called', 'seen'], table_name: 'feeds.orders' },
  ])
  const trace = (id: number | undefined) =>
    dba(
      'select file, target_table, report, recipient, reported_at is not null as told, outbox_id from dba.trace where dataset_id = $1 order by recipient',
      [id],
    )
  const known = { file: 'feeds.orders.csv', target_table: 'feeds.orders', report: 'orders', told: true, outbox_id: 1 }
  assert.deepEqual(await trace(now), [
    { ...known, recipient: 'ann@example.com' },
    { ...known, recipient: 'bob@example.com' },
  ])
  for (const id of [former, other])
    assert.deepEqual(
      (await trace(id)).map(({ report: name, recipient }) => [name, recipient]),
      [['unknown', 'unknown']],
    )
  assert.equal((await run()).state, 'succeeded')
  assert.deepEqual(
    (await trace(now)).map(({ recipient, outbox_id: id }) => [recipient, id]),
    [
      ['ann@example.com', 2],
      ['bob@example.com', 2],
    ],
  )
})

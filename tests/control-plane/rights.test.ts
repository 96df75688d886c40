import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Query } from '../helpers/database.ts'
import { refusal } from '../helpers/refusal.ts'
import { addRun, one, type People, peopleOf, plan } from '../helpers/rows.ts'

test('a reader reads every table and view but the secrets, and writes none', async (t) => {
  const { reader, database } = await houseOf(t)
  for (const { name, kind } of await relations(database.query)) {
    if (name === 'secret') continue
    await reader(`select * from dba.${name} limit 1`)
    if (kind === 'v') continue
    for (const statement of writes(name)) assert.equal((await refusal(reader(statement))).code, '42501', statement)
  }
})

test('a reader asks for nothing, and is told whom to ask', async (t) => {
  const { reader, worker } = await houseOf(t)
  const run = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'failed')
  for (const call of [
    `dba.run_now('prices')`,
    `dba.rerun('${run}')`,
    `dba.cancel('${run}')`,
    `dba.pause('prices')`,
    `dba.resume('prices')`,
    `dba.backfill('prices', '2015-03-01')`,
    `dba.check_connection('mail')`,
  ]) {
    const refused = await refusal(reader(`select ${call}`))
    assert.equal(refused.code, '42501', call)
    assert.match(refused.message, /^role "rota_reader" may not /, call)
    assert.equal(refused.hint, 'Ask someone with role rota_operator or rota_dba.')
  }
})

test('an operator requests, cancels, pauses, takes out fires and acknowledges', async (t) => {
  const { operator, worker } = await houseOf(t)
  await plan(worker)
  const run = await one(operator, `select dba.run_now('prices') as value`)
  await operator(`select dba.cancel($1)`, [run])
  await operator(`select dba.rerun($1)`, [run])
  await operator(`insert into dba.run (schedule_name) values ('prices')`)
  await operator(`update dba.run set state = 'skipped' where run_id = (select run_id from dba.next_run where trigger = 'cron' limit 1)`)
  await operator(`update dba.scheduler set paused_until = 'infinity', pause_reason = 'move'`)
  await operator(`update dba.lane set paused_until = 'infinity', pause_reason = 'network'`)
  await worker(`insert into dba.alert (kind, subject) values ('failed', 'prices')`)
  await operator(`update dba.alert set state = 'acknowledged'`)
  await worker(`insert into dba.file (file_name, path, size_bytes, state, kept_path) values ('a', '/a', 1, 'failed', '/kept/a')`)
  await operator(`update dba.file set state = 'retry'`)
  assert.deepEqual(await worker(`select acknowledged_by, (select state from dba.file) as file from dba.alert`), [
    { acknowledged_by: 'rota_operator', file: 'retry' },
  ])
})

test('an operator cannot say what a job does', async (t) => {
  const { operator } = await houseOf(t)
  for (const statement of [
    `update dba.scheduler set job = 'sql'`,
    `update dba.scheduler set args = '{"seconds": 9}'`,
    `update dba.scheduler set cron = null`,
    `update dba.scheduler set is_active = false`,
    `update dba.lane set description = 'x'`,
    `insert into dba.scheduler (schedule_name, job) values ('new', 'noop')`,
    `delete from dba.scheduler`,
    `insert into dba.run (schedule_name, args) values ('prices', '{"seconds": 9}')`,
    `select dba.run_now('prices', '{"seconds": 9}')`,
    `update dba.importconfig set source_folder = '/etc'`,
    `update dba.setting set value = 'false' where name = 'is_live'`,
    `update dba.connection set host = 'elsewhere'`,
    `insert into dba.bookmark (job, config_name, value, reason) values ('noop', 'x', '1', 'x')`,
    `select dba.adopt_home()`,
    `select dba.restore(max(audit_id)) from dba.configaudit`,
  ]) {
    assert.equal((await refusal(operator(statement))).code, '42501', statement)
  }
})

test('the function under backfill lets an operator do no more than backfill itself', async (t) => {
  const { operator, reader, worker } = await houseOf(t)
  const [schedule] = await worker<{ schedule_id: number }>(`select schedule_id from dba.scheduler where schedule_name = 'prices'`)
  const done = await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded', { args: { seconds: 1 } })
  const other = await addRun(worker, 'other', '2015-03-02 05:20Z', 'succeeded', { args: { seconds: 77 } })
  const wanted = JSON.stringify([
    { act: 'repeat', run_id: done, scheduled_for: '2015-03-02 05:20Z', args: { seconds: 9 }, local_time: 'x', reason: 'x' },
    { act: 'repeat', run_id: other, scheduled_for: '2015-03-02 05:20Z', local_time: 'x', reason: 'x' },
    { act: 'reopen', run_id: done, scheduled_for: '2015-03-02 05:20Z', local_time: 'x', reason: 'x' },
    { act: 'new', run_id: null, scheduled_for: '2099-03-02 05:20Z', local_time: 'x', reason: 'x' },
  ])
  assert.equal((await refusal(reader(`select dba.write_backfill($1, $2, 'x')`, [schedule?.schedule_id, wanted]))).code, '42501')
  await operator(`select dba.write_backfill($1, $2, 'x')`, [schedule?.schedule_id, wanted])
  assert.deepEqual(await worker(`select schedule_name, args ->> 'seconds' as seconds, requested_by from dba.run where state = 'planned'`), [
    { schedule_name: 'prices', seconds: '1', requested_by: 'rota_operator' },
  ])
})

test('a DBA writes what people write, and not what the system writes', async (t) => {
  const { dba, worker } = await houseOf(t)
  await addRun(worker, 'prices', '2015-03-02 05:20Z', 'succeeded')
  await plan(worker)
  for (const statement of [
    `update dba.run set state = 'succeeded' where state = 'planned'`,
    `update dba.run set state = 'planned' where state = 'succeeded'`,
    `update dba.run set rows_written = 7`,
    `insert into dba.run (schedule_name, state) values ('prices', 'succeeded')`,
    `delete from dba.run`,
    `update dba.plan set planned_through = now()`,
    `insert into dba.attempt (run_id, attempt, worker) select run_id, 1, 'x' from dba.run limit 1`,
    `insert into dba.logentry (message) values ('x')`,
    `delete from dba.worker`,
    `delete from dba.configaudit`,
    `update dba.configaudit set changed_by = 'somebody else'`,
    `update dba.migration set checksum = 'x'`,
    `insert into dba.job (job, description) values ('x', 'x')`,
    `update dba.jobconfig set is_active = false`,
    `update dba.setting set value = 'elsewhere' where name = 'home'`,
    `delete from dba.outbox`,
  ]) {
    assert.equal((await refusal(dba(statement))).code, '42501', statement)
  }
  await dba(`update dba.job set max_running = 2 where job = 'noop'`)
})

test('a DBA makes schemas and tables and reads what the loader makes, but changes nothing of schema dba', async (t) => {
  const { dba, worker } = await houseOf(t)
  await dba(`create schema feeds`)
  await dba(`create table feeds.price (price numeric)`)
  await worker(`begin`)
  await worker(`insert into feeds.price values (1)`)
  await worker(`create schema loaded; create table loaded.row (x text)`)
  await worker(`commit`)
  for (const statement of [
    `create table dba.mine (x int)`,
    `create function dba.mine() returns int language sql as 'select 1'`,
    `alter table dba.run add column x int`,
    `alter table dba.run disable trigger all`,
    `create trigger x before insert on dba.run for each row execute function dba.run_rules()`,
    `create or replace function dba.is_system() returns boolean language sql as 'select true'`,
    `drop view dba.problem`,
    `truncate dba.run`,
    `set role rota_worker`,
    `set role rota_owner`,
    `set session_replication_role = replica`,
    `grant rota_worker to rota_operator`,
  ]) {
    assert.match((await refusal(dba(statement))).code, /^42501$/, statement)
  }
})

test('logins for statements that people wrote touch no control table and call no function of it', async (t) => {
  const { database, dba } = await houseOf(t)
  await dba(`create schema feeds; create table feeds.price (price numeric)`)
  for (const role of ['rota_query', 'rota_job']) {
    const { query } = await database.as(role)
    for (const { name, kind } of await relations(database.query)) {
      if (kind === 'v') continue
      for (const statement of writes(name)) assert.equal((await refusal(query(statement))).code, '42501', `${role}: ${statement}`)
    }
    for (const statement of [
      `select * from dba.secret`,
      `select * from dba.connection`,
      `select dba.run_now('prices')`,
      `select dba.pause('prices')`,
      `select dba.adopt_home()`,
      `create table dba.mine (x int)`,
      `set role rota_worker`,
      `set role rota_owner`,
      `set role rota_dba`,
    ]) {
      assert.equal((await refusal(query(statement))).code, '42501', `${role}: ${statement}`)
    }
  }
  await (await database.as('rota_job')).query(`insert into feeds.price values (1)`)
})

test('nobody reads the secrets but the workers', async (t) => {
  const { database } = await houseOf(t)
  await database.query(`insert into dba.secret (secret_name, sealed) values ('smtp', 'x')`)
  for (const role of ['rota_dba', 'rota_operator', 'rota_reader', 'rota_query', 'rota_job']) {
    const { query } = await database.as(role)
    for (const statement of [
      `select * from dba.secret`,
      `select count(*) from dba.secret`,
      `copy dba.secret to stdout`,
      `delete from dba.secret`,
    ]) {
      assert.equal((await refusal(query(statement))).code, '42501', `${role}: ${statement}`)
    }
  }
  const granted = await database.query(
    `select r.rolname from pg_roles r where not r.rolsuper and r.rolname !~ '^pg_' and has_table_privilege(r.oid, 'dba.secret', 'select, insert, update, delete') order by 1`,
  )
  assert.deepEqual(
    granted.map((row) => row.rolname).filter((name) => String(name).startsWith('rota_')),
    ['rota_owner', 'rota_worker'],
  )
})

test('a login without any of the roles sees nothing', async (t) => {
  const { database } = await houseOf(t)
  const open = await database.query(
    `select p.oid::regprocedure::text as function from pg_proc p where p.pronamespace = 'dba'::regnamespace
      and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)`,
  )
  assert.deepEqual(open, [])
  const tables = await database.query(
    `select relname from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'dba'::regnamespace and a.grantee = 0`,
  )
  assert.deepEqual(tables, [])
})

test('every function that runs with the rights of its owner, or may be called by one, keeps to its own search path, temporary objects last', async (t) => {
  const { database } = await houseOf(t)
  const loose = await database.query(
    `select p.oid::regprocedure::text as function, p.proconfig from pg_proc p
      join pg_language l on l.oid = p.prolang
      where p.pronamespace = 'dba'::regnamespace and (p.prosecdef or l.lanname = 'plpgsql') and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)`,
  )
  assert.deepEqual(loose, [])
})

test('names that a caller puts in front of those of Postgres never run with the rights of the owner', async (t) => {
  const { dba, database } = await houseOf(t)
  await dba(`create schema trap; create table trap.caught (who text, what text)`)
  await dba(`grant usage on schema trap to public; grant insert, select on trap.caught to public`)
  // Types, tables, operators and functions that would be found first, each telling as whom it runs.
  await dba(`create function trap.note(what pg_catalog.text) returns boolean language plpgsql as $$ begin
    insert into trap.caught values (current_user, what); return true; end $$`)
  for (const type of ['text', 'jsonb', 'date', 'uuid', 'timestamptz', 'regclass']) {
    await dba(`create domain trap.${type} as pg_catalog.${type} check (trap.note('${type}'))`)
  }
  await dba(
    `create function trap.lower(x pg_catalog.text) returns pg_catalog.text language sql as $$ select case when trap.note('lower') then pg_catalog.lower(x) end $$`,
  )
  await dba(
    `create function trap.same(x pg_catalog.text, y pg_catalog.text) returns boolean language sql as $$ select trap.note('=') and x operator(pg_catalog.=) y $$`,
  )
  await dba(`create operator trap.= (leftarg = pg_catalog.text, rightarg = pg_catalog.text, function = trap.same)`)

  const { query } = await database.as('rota_dba')
  await query(`set search_path = trap, pg_catalog`)
  for (const statement of [
    `select 'a'::text = 'b'::text`,
    `select dba.parse_moment('2015-03-02', 'UTC')`,
    `select dba.local_time_text(now(), 'Europe/Warsaw')`,
    `select dba.why_not('prices')`,
    `select dba.name_list(array['a'::pg_catalog.text])`,
    `select dba.check_glob('*')`,
    `update dba.scheduler set description = 'x'`,
    `update dba.scheduler set schedule_name = 'renamed' where schedule_name operator(pg_catalog.=) 'other'`,
    `update dba.scheduler set schedule_name = 'new prices', run_after = null where schedule_name operator(pg_catalog.=) 'prices'`,
    `update dba.importconfig set config_name = 'renamed'`,
    `update dba.setting set value = 'true' where name operator(pg_catalog.=) 'is_live'`,
    `insert into dba.run (schedule_name) values ('new prices')`,
    `select * from dba.backfill('new prices', '2015-03-02', '2015-03-04')`,
    `select dba.check_connection('mail')`,
    `select dba.restore(max(audit_id)) from dba.configaudit where table_name operator(pg_catalog.=) 'importconfig'`,
    `delete from dba.importconfig`,
  ]) {
    await query(statement)
  }
  const caught = await database.query<{ who: string }>(`select distinct who from trap.caught`)
  assert.deepEqual(caught, [{ who: 'rota_dba' }], 'the traps are found, and by their owner alone')
})

async function houseOf(t: Parameters<typeof peopleOf>[0]): Promise<People> {
  const people = await peopleOf(t)
  const { dba } = people
  await dba(`insert into dba.scheduler (schedule_name, job, cron) values ('other', 'noop', '0 6 * * *')`)
  await dba(`insert into dba.scheduler (schedule_name, job, cron, run_after) values ('prices', 'noop', '0 6 * * *', '{other}')`)
  await dba(`insert into dba.connection (connection_name, kind, host) values ('mail', 'smtp', 'mail.example')`)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox/prices', '*.xlsx', 'feeds.price')`,
  )
  return people
}

/** Tables (r, p) and views (v) of the control plane; partitions follow their table. */
async function relations(query: Query): Promise<{ name: string; kind: string }[]> {
  return await query(
    `select relname as name, relkind as kind from pg_class where relnamespace = 'dba'::regnamespace and relkind in ('r', 'p', 'v') and not relispartition order by 1`,
  )
}

/** One of each kind; none would change a row. */
function writes(table: string): string[] {
  return [
    `insert into dba.${table} overriding system value select * from dba.${table} where false`,
    `delete from dba.${table} where false`,
    `truncate dba.${table}`,
  ]
}

import assert from 'node:assert/strict'
import type { Ending } from './after-everything.ts'
import { freshDatabase, type Query, type TestDatabase } from './database.ts'

/** One database and the people who use it, each with a login of their own. */
export interface People {
  database: TestDatabase
  dba: Query
  operator: Query
  reader: Query
  /** Acts as the system does. */
  worker: Query
}

/** A fresh database and its people; gone after the test. */
export async function peopleOf(t: Ending): Promise<People> {
  const database = await freshDatabase(t)
  const [dba, operator, reader] = await Promise.all(['rota_dba', 'rota_operator', 'rota_reader'].map((role) => database.as(role)))
  assert.ok(dba && operator && reader)
  const worker: Query = async (text, values) => (await database.pool.query(text, values)).rows
  return { database, dba: dba.query, operator: operator.query, reader: reader.query, worker }
}

/** The column `value` of the only row. */
export async function one(query: Query, text: string, values?: unknown[]): Promise<string> {
  const [row] = await query<{ value: string }>(text, values)
  assert.ok(row, `no row: ${text}`)
  return row.value
}

/** A live worker in these lanes, as dba.worker shows one. */
export async function addWorker(worker: Query, name = 'here', lanes = ['default']): Promise<void> {
  await worker(`insert into dba.worker (worker, host, pid, version, lanes, machine) values ($1, 'host', 1, '0', $2, 'machine')`, [
    name,
    lanes,
  ])
}

/** Plans all schedules, as a worker does every second. */
export async function plan(worker: Query): Promise<void> {
  await worker(`select dba.plan_due(1000, true)`)
}

export interface RunFacts {
  trigger?: string
  args?: object
  reason?: string
  /** Columns of dba.run beyond those, by name. */
  more?: Record<string, unknown>
}

/** A run as a worker would have left it, or would have it now; returns its run_id. Ended runs took five seconds. */
export async function addRun(worker: Query, schedule: string, scheduledFor: string, state: string, facts: RunFacts = {}): Promise<string> {
  const runId = await one(
    worker,
    `insert into dba.run (schedule_id, schedule_name, job, config_name, args, trigger, fire_key, scheduled_for, due_at, local_time, state, reason,
        attempt, max_attempts, lane, queued_at, started_at, finished_at, worker, error_code, error_message)
      select schedule_id, schedule_name, job, config_name, $4, $5, case when $5 = 'cron' then dba.fire_key($2) else gen_random_uuid()::text end, $2, $2,
        dba.local_time_text($2, time_zone), $3, $6,
        case when $3 in ('running', 'succeeded', 'failed') then 1 else 0 end, 3, lane,
        case when $3 in ('queued', 'running', 'succeeded', 'failed') then $2::timestamptz end,
        case when $3 in ('running', 'succeeded', 'failed') then $2::timestamptz end,
        case when $3 in ('succeeded', 'failed', 'cancelled', 'missed') or $3 = 'skipped' and $2 <= clock_timestamp() then $2::timestamptz + interval '5 s' end,
        case when $3 in ('running', 'succeeded', 'failed') then 'here' end,
        case when $3 = 'failed' then 'out_of_paper' end, case when $3 = 'failed' then 'Printer has no paper' end
      from dba.scheduler where schedule_name = $1
      returning run_id as value`,
    [
      schedule,
      scheduledFor,
      state,
      facts.args ?? {},
      facts.trigger ?? 'cron',
      facts.reason ?? (/skipped|missed|waiting/.test(state) ? 'for the test' : null),
    ],
  )
  for (const [column, value] of Object.entries(facts.more ?? {})) {
    assert.match(column, /^[a-z_]+$/)
    await worker(`update dba.run set ${column} = $1 where run_id = $2`, [value, runId])
  }
  return runId
}

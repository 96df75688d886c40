/** dba.worker: who is there, who has died, and what becomes of the runs of the dead. */
import type { Pool } from 'pg'
import type { Filled } from '../db/filled.ts'
import type { RunRow, WorkerRow } from '../db/row-types.ts'

export interface WorkerFacts {
  worker: string
  host: string
  pid: number
  version: string
  lanes: string[]
  /** One boot of one machine or container; see machineId. */
  machine: string
}

/** A worker that gave no sign of life for this long is dead. With a look every 5 s its runs go on within 30 s. */
export const deadAfterSeconds = 15

export async function registerWorker(pool: Pool, facts: WorkerFacts): Promise<void> {
  await pool.query(`insert into dba.worker (worker, host, pid, version, lanes, machine) values ($1, $2, $3, $4, $5, $6)`, [
    facts.worker,
    facts.host,
    facts.pid,
    facts.version,
    facts.lanes,
    facts.machine,
  ])
  await pool.query(
    `delete from dba.worker where state in ('stopped', 'lost') and heartbeat_at < clock_timestamp() - coalesce((select value::interval from dba.setting where name = 'retention_worker'), interval '30 days')`,
  )
}

export type WorkerState = Exclude<WorkerRow['state'], 'lost'>

/** Says how the worker is; `message` for the states that need words. */
export async function setWorkerState(pool: Pool, worker: string, state: WorkerState, message: string | null = null): Promise<void> {
  await pool.query(
    `update dba.worker set state = $2, message = $3, heartbeat_at = clock_timestamp(), stopped_at = case when $2 = 'stopped' then clock_timestamp() end
      where worker = $1 and (state, message, stopped_at) is distinct from ($2, $3, null)`,
    [worker, state, message],
  )
}

/** Workers of this machine that the table still believes alive: their processes can be looked at. */
export async function neighbours(pool: Pool, machine: string): Promise<Pick<WorkerRow, 'worker' | 'pid'>[]> {
  const { rows } = await pool.query<Pick<WorkerRow, 'worker' | 'pid'>>(
    `select worker, pid from dba.worker where machine = $1 and state in ('running', 'draining', 'outdated', 'still')`,
    [machine],
  )
  return rows
}

export interface LostAttempt {
  runId: string
  scheduleName: string
  attempt: number
  worker: string
  state: RunRow['state']
}

/**
 * Ends what dead workers left open: their attempts as worker_lost, their runs waiting for another attempt without delay, or failed when none
 * is left. A worker is dead when its heartbeat is too old, or when it is in `gone` (its process was looked for and is not there).
 */
export async function reapDeadWorkers(pool: Pool, gone: string[], judgeByHeartbeat: boolean): Promise<LostAttempt[]> {
  const { rows } = await pool.query<Pick<RunRow, 'run_id' | 'schedule_name' | 'attempt' | 'state'> & Filled<RunRow, 'worker'>>({
    name: 'reap',
    text: `
      with dead as (
        update dba.worker w
        set state = 'lost', stopped_at = clock_timestamp(), message = 'no sign of life since ' || to_char(heartbeat_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
        where w.state in ('running', 'draining', 'outdated', 'still')
          and (w.worker = any ($1) or $2 and w.heartbeat_at < clock_timestamp() - make_interval(secs => $3))
        returning w.worker
      ), lost as (
        select r.run_id, went_on.is_true as got_ahead, r.trigger = 'always' or went_on.is_true or r.attempt < r.max_attempts as comes_again
        from dba.run r
        -- What got ahead goes on there, and does not count as a try.
        cross join lateral (select exists (select from dba.attempt a where a.run_id = r.run_id and a.attempt = r.attempt and a.advanced_at is not null) as is_true) went_on
        where r.state = 'running'
          -- By the worker's own sign of life, since one of a run is left out while somebody holds its row open.
          and (r.worker in (select worker from dead)
            or not exists (select from dba.worker w where w.worker = r.worker and w.state in ('running', 'draining', 'outdated', 'still')))
        for update of r skip locked
      ), ended as (
        update dba.run r
        set state = case when r.cancel_requested then 'cancelled' when l.comes_again then 'waiting' else 'failed' end,
          due_at = case when r.cancel_requested or not l.comes_again then r.due_at else clock_timestamp() end,
          waits_for = case when not r.cancel_requested and l.comes_again then 'retry' end,
          max_attempts = case when l.got_ahead and not r.cancel_requested then least(r.max_attempts + 1, 32000) else r.max_attempts end,
          finished_at = case when r.cancel_requested or not l.comes_again then clock_timestamp() end,
          reason = case when r.cancel_requested then 'cancelled; its worker was lost'
            when l.comes_again then format('worker %s was lost in attempt %s; the next %s', r.worker, r.attempt, case when l.got_ahead then 'goes on where it stood' else 'begins at once' end) else r.reason end,
          error_code = 'worker_lost', error_message = format('worker %s gave no sign of life', r.worker),
          error_detail = format('Its last one came at %s UTC, in attempt %s of %s.', to_char(r.heartbeat_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), r.attempt, r.max_attempts),
          error_hint = 'Look at dba.worker and at the log of that machine.'
        from lost l where r.run_id = l.run_id
        returning r.run_id, r.schedule_name, r.attempt, r.worker, r.state, r.error_message, r.error_detail, r.error_hint
      ), attempts as (
        update dba.attempt a
        set finished_at = clock_timestamp(), outcome = 'lost', error_code = 'worker_lost', error_message = e.error_message, error_detail = e.error_detail, error_hint = e.error_hint
        from ended e where a.run_id = e.run_id and a.attempt = e.attempt and a.finished_at is null
      ), told as (
        select pg_notify('rota', 'ended') from ended limit 1
      )
      select e.run_id, e.schedule_name, e.attempt, e.worker, e.state from ended e left join told on true`,
    values: [gone, judgeByHeartbeat, deadAfterSeconds],
  })
  return rows.map((row) => ({
    runId: row.run_id,
    scheduleName: row.schedule_name,
    attempt: row.attempt,
    worker: row.worker,
    state: row.state,
  }))
}

/** What decides whether a worker may take runs: does this database fire here, and which migration has it. */
export async function readState(pool: Pool): Promise<{ isHome: boolean; schemaVersion: number }> {
  const { rows } = await pool.query<{ is_home: boolean; schema_version: number }>({
    name: 'read-state',
    text: 'select dba.is_home() as is_home, (select max(migration_number) from dba.migration) as schema_version',
  })
  return { isHome: rows[0]?.is_home ?? false, schemaVersion: rows[0]?.schema_version ?? 0 }
}

/** What a worker sees to when it starts: zones, log partitions, and a database that has no home yet is at home here. */
export async function prepareDatabase(pool: Pool): Promise<void> {
  await pool.query('select dba.refresh_timezones()')
  await pool.query('select dba.make_log_partitions()')
  await pool.query(`select dba.adopt_home() from dba.setting where name = 'home' and value is null`)
}

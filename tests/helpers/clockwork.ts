/** Planner and dispatcher by hand, and travel in time without sleeping: what moves is the rows. */
import { dispatchDueRuns, type Enqueue } from '../../src/control-plane/dispatch.ts'
import { forgetDeletedSchedules, planReactions, planSchedules } from '../../src/control-plane/plan.ts'
import type { Message } from '../../src/control-plane/write-decisions.ts'
import type { TestDatabase } from './database.ts'

export interface RunRow extends Record<string, unknown> {
  run_id: string
  schedule_name: string
  trigger: string
  state: string
  reason: string | null
  waits_for: string | null
  local_time: string
  scheduled_for: Date
  due_at: Date
  args: Record<string, unknown>
}

/** Inserts a schedule as a DBA does; job `noop` unless the columns say otherwise. Returns its row. */
export async function addSchedule(database: TestDatabase, columns: Record<string, unknown>): Promise<Record<string, unknown>> {
  const row = { job: 'noop', ...columns }
  const names = Object.keys(row)
  const [added] = await database.query(
    `insert into dba.scheduler (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')}) returning *`,
    Object.values(row),
  )
  return added ?? {}
}

/** What a worker does when it looks at everything, without dispatching. */
export async function plan({ pool }: TestDatabase): Promise<void> {
  await forgetDeletedSchedules(pool)
  await planSchedules(pool, true, (error) => {
    throw error
  })
  await planReactions(pool)
}

/** Dispatches what is due, with a queue that only remembers. */
export async function dispatch({ pool }: TestDatabase): Promise<Message[]> {
  return dispatchDueRuns(pool, forget)
}

export const forget: Enqueue = async () => {}

/** All runs of a schedule, in the order of their fires. */
export function runsOf({ query }: TestDatabase, scheduleName: string): Promise<RunRow[]> {
  return query<RunRow>('select * from dba.run where schedule_name = $1 order by scheduled_for, due_at', [scheduleName])
}

/** As if no worker had been up for so long, and these schedules had been there before: what was planned goes, everything since is owed. */
export async function sleepFor({ pool }: TestDatabase, interval: string, ...scheduleNames: string[]): Promise<void> {
  await pool.query(`delete from dba.run where schedule_name = any ($1) and state = 'planned' and trigger = 'cron'`, [scheduleNames])
  await pool.query(
    `update dba.scheduler set created_at = now() - $2::interval - interval '1 day', updated_at = now() - $2::interval - interval '1 day'
     where schedule_name = any ($1)`,
    [scheduleNames, interval],
  )
  await pool.query(
    `update dba.plan p set planned_through = now() - $2::interval, waits_since = now() - $2::interval, refill_at = now()
     from dba.scheduler s where p.schedule_id = s.schedule_id and s.schedule_name = any ($1)`,
    [scheduleNames, interval],
  )
  await pool.query(
    `insert into dba.worker (worker, host, pid, version, lanes, started_at, heartbeat_at, state)
     values ('before', 'test-host', 1, '0', '{default}', now() - $1::interval - interval '1 day', now() - $1::interval, 'lost'),
            ('after', 'test-host', 2, '0', '{default}', now(), now(), 'running')
     on conflict (worker) do nothing`,
    [interval],
  )
}

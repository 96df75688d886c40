/** Fires that come from outside the clock: files that arrive, notifications. */
import type { Pool } from 'pg'
import type { SchedulerRow } from '../db/row-types.ts'

export interface WatchedSchedule {
  scheduleId: number
  lane: string
  onFile: string | null
  onNotify: string | null
  settleSeconds: number
}

/** Active schedules of these lanes that wait for a file or a notification; none while nothing fires here. */
export async function readWatchedSchedules(pool: Pool, lanes: string[]): Promise<WatchedSchedule[]> {
  const { rows } = await pool.query<Pick<SchedulerRow, 'schedule_id' | 'lane' | 'on_file' | 'on_notify'> & { settle_seconds: number }>({
    name: 'watched-schedules',
    text: `
      select s.schedule_id, s.lane, s.on_file, s.on_notify,
        coalesce(extract(epoch from (dba.settings_of(s.job, s.config_name) ->> 'settle')::interval), 2)::float8 as settle_seconds
      from dba.scheduler s
      where (s.on_file is not null or s.on_notify is not null) and s.is_active and s.lane = any ($1) and dba.is_home()`,
    values: [lanes],
  })
  return rows.map((row) => ({
    scheduleId: row.schedule_id,
    lane: row.lane,
    onFile: row.on_file,
    onNotify: row.on_notify,
    settleSeconds: row.settle_seconds,
  }))
}

/** One run per file: the same key again changes nothing. Returns true when a run was made. */
export async function fireForFile(pool: Pool, scheduleId: number, key: string, path: string): Promise<boolean> {
  const { rowCount } = await pool.query('select dba.fire_now($1, $2, $3, $4)', [
    [scheduleId],
    'file',
    `file ${key}`,
    JSON.stringify({ file: path }),
  ])
  return (rowCount ?? 0) > 0
}

/** One run of each schedule per notification. Notifications have no number of their own, so the one listener gives them one. */
export async function fireForNotification(pool: Pool, scheduleIds: number[], key: string, payload: string): Promise<void> {
  await pool.query('select dba.fire_now($1, $2, $3, $4)', [scheduleIds, 'notify', `notify ${key}`, JSON.stringify({ payload })])
}

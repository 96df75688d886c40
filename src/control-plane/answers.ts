/** What a worker answers at the rows: dba.scheduler.explained, config_state, config_message. */
import type { Pool } from 'pg'
import type { JobconfigRow, SchedulerRow } from '../db/row-types.ts'
import type { ScheduleTerms } from './explain-schedule.ts'

/** A schedule whose answer is missing or old. */
export interface UnansweredSchedule {
  /** Changes with every edit of the schedule or its config. */
  key: string
  scheduleId: number
  version: number
  configVersion: number | null
  terms: ScheduleTerms
  args: Record<string, unknown>
  /** Null for a job without settings. */
  settings: Record<string, unknown> | null
  laneHasWorker: boolean
}

export interface Answer {
  scheduleId: number
  version: number
  configVersion: number | null
  explained: string
  isOk: boolean
  message: string
}

/**
 * Schedules to be looked at: edited since the last answer (schedule or config), found invalid a minute ago or before a worker of their lane
 * started, or not looked at for a quarter of an hour; but those in `underway`, by their keys. A schedule is looked at by a worker of its lane, who sees its folders; one whose lane has no live worker by anybody, who says so.
 */
export async function readUnanswered(pool: Pool, lanes: string[], underway: string[], most: number): Promise<UnansweredSchedule[]> {
  const { rows } = await pool.query<UnansweredRow>({
    name: 'read-unanswered',
    text: `
      with live as (
        select distinct unnest(lanes) as lane from dba.worker where state in ('running', 'still') and heartbeat_at > clock_timestamp() - interval '20 seconds'
      )
      select k.key, s.schedule_id, s.version, c.version as config_version, s.args, dba.settings_of(s.job, s.config_name) as settings,
        s.lane in (select lane from live) as lane_has_worker, to_jsonb(s) as terms
      from dba.scheduler s
      join dba.plan p using (schedule_id)
      left join dba.jobconfig c on c.job = s.job and c.config_name = s.config_name
      cross join lateral concat_ws(' ', s.schedule_id, s.version, c.version) as k (key)
      where k.key <> all ($2) and (s.lane = any ($1) or s.lane not in (select lane from live))
        and ((p.answered_version, p.answered_config_version) is distinct from (s.version, c.version)
          or s.config_state = 'invalid' and (p.answered_at < clock_timestamp() - interval '1 minute'
            or exists (select from dba.worker w where w.state = 'running' and s.lane = any (w.lanes) and w.started_at > p.answered_at))
          or p.answered_at < clock_timestamp() - interval '15 minutes')
      order by (p.answered_version, p.answered_config_version) is not distinct from (s.version, c.version), s.schedule_id
      limit $3`,
    values: [lanes, underway, most],
  })
  return rows.map((row) => ({
    key: row.key,
    scheduleId: row.schedule_id,
    version: row.version,
    configVersion: row.config_version,
    terms: row.terms,
    args: row.args,
    settings: row.settings,
    laneHasWorker: row.lane_has_worker,
  }))
}

type UnansweredRow = Pick<SchedulerRow, 'schedule_id' | 'version' | 'args'> & {
  key: string
  config_version: JobconfigRow['version'] | null
  settings: Record<string, unknown> | null
  lane_has_worker: boolean
  terms: ScheduleTerms
}

/**
 * Writes answers in a transaction of their own. Rows that somebody holds open, and rows edited meanwhile, are left out and come again.
 * @returns how many were written.
 */
export async function writeAnswers(pool: Pool, answers: Answer[]): Promise<number> {
  const { rows } = await pool.query<{ written: number }>({
    name: 'write-answers',
    text: `
      with answer as (
        select * from jsonb_to_recordset($1) as a
          (schedule_id bigint, version integer, config_version integer, explained text, config_state text, config_message text)
      ), free as (
        select s.schedule_id from dba.scheduler s join answer a using (schedule_id, version) for no key update of s skip locked
      ), written as (
        update dba.scheduler s
        set explained = a.explained, config_state = a.config_state, config_message = a.config_message
        from answer a join free using (schedule_id)
        where s.schedule_id = a.schedule_id
          and (s.explained, s.config_state, s.config_message) is distinct from (a.explained, a.config_state, a.config_message)
        returning s.schedule_id
      ), noted as (
        update dba.plan p
        set answered_version = a.version, answered_config_version = a.config_version, answered_at = clock_timestamp()
        from answer a join free using (schedule_id)
        where p.schedule_id = a.schedule_id
        returning p.schedule_id
      )
      select (select count(*) from noted) as written from (select count(*) from written) w`,
    values: [
      JSON.stringify(
        answers.map((answer) => ({
          schedule_id: answer.scheduleId,
          version: answer.version,
          config_version: answer.configVersion,
          explained: answer.explained,
          config_state: answer.isOk ? 'ok' : 'invalid',
          config_message: answer.message,
        })),
      ),
    ],
  })
  return rows[0]?.written ?? 0
}

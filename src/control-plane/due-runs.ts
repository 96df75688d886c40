/** The facts that a decision stands on: what is due, and what is open. */
import type { ClientBase } from 'pg'
import type { JobconfigRow, JobRow, RunRow, SchedulerRow } from '../db/row-types.ts'
import type { DueRun, OpenRun, OpenRuns } from './decision-facts.ts'

type DueRow = Pick<
  RunRow,
  'run_id' | 'schedule_id' | 'schedule_name' | 'state' | 'waits_for' | 'trigger' | 'attempt' | 'due_at' | 'reason' | 'job'
> & {
  is_requested: boolean
  late_seconds: number
  later_due: number
  is_before_home: boolean
  outage: string | null
  config_name: SchedulerRow['config_name']
  config_is_active: JobconfigRow['is_active'] | null
  lane_pause: string | null
  schedule_pause: string | null
  job_limit: JobRow['max_running']
  data_hold: string | null
} & ({ schedule_exists: false } | TermsRow)

type TermsRow = { schedule_exists: true; max_late_seconds: number } & Pick<
  SchedulerRow,
  'overlap' | 'resource' | 'catch_up' | 'max_catch_up'
>

/** Where to go on among the held runs. */
export interface HeldFrom {
  /** Schedules with a greater id are looked at; null: none. */
  afterSchedule: number | null
}

/** Due runs, and held ones, read at once. Written into the statement, so that it is planned for so few. */
export const dispatchBatchSize = 500

/**
 * Locks and reads due runs, and held ones where they could start: the first of each schedule, whose lane is open. Rows that another
 * transaction holds are left out, and so are fires that have to be planned first: of terms that were edited since, or late ones of a schedule
 * that owes more.
 */
export async function readDueRuns(client: ClientBase, { afterSchedule }: HeldFrom): Promise<DueRun[]> {
  const { rows } = await client.query<DueRow>({
    name: 'due-runs',
    text: `
      with due as (
        (select r.run_id
          from dba.run r
          left join dba.lane l on l.lane = r.lane
          where (r.state = 'planned' or r.state = 'waiting' and r.attempt > 0) and r.due_at <= statement_timestamp()
            and not (r.trigger = 'cron' and r.requested_by is null and r.state = 'planned' and coalesce((
              select s.version is distinct from p.planned_version or p.refill_at <= statement_timestamp() and r.due_at < statement_timestamp() - interval '10 seconds'
              from dba.scheduler s join dba.plan p using (schedule_id) where s.schedule_id = r.schedule_id), false))
            and not (r.waits_for is not distinct from 'lane' and coalesce(l.paused_until > statement_timestamp(), false))
          order by r.due_at, r.scheduled_for limit ${dispatchBatchSize})
        union all
        (select distinct on (r.schedule_id) r.run_id
          from dba.run r left join dba.scheduler s using (schedule_id) left join dba.lane l on l.lane = s.lane
          where r.state = 'waiting' and r.attempt = 0 and coalesce(l.paused_until <= clock_timestamp(), true) and r.schedule_id > $1
          order by r.schedule_id, r.due_at, r.scheduled_for limit ${dispatchBatchSize})
      )
      select r.run_id, r.schedule_id, r.schedule_name, r.state, r.waits_for, r.trigger, r.attempt, r.reason,
        r.requested_by is not null as is_requested, r.due_at,
        extract(epoch from clock_timestamp() - r.due_at)::float8 as late_seconds,
        case when r.trigger = 'cron' and clock_timestamp() - r.due_at > interval '10 seconds' then
          (select count(*) from dba.run x
            where x.schedule_id = r.schedule_id and x.trigger = 'cron' and x.requested_by is null
              and (x.state = 'planned' or x.state = 'waiting' and x.attempt = 0)
              and (x.due_at, x.scheduled_for) > (r.due_at, r.scheduled_for) and x.due_at <= statement_timestamp())
        else 0 end as later_due,
        coalesce(r.due_at < (select value::timestamptz from dba.setting where name = 'live_since'), false) as is_before_home,
        case when r.trigger = 'cron' and clock_timestamp() - r.due_at > interval '10 seconds'
          then dba.outage_words(r.due_at, clock_timestamp(), coalesce(s.time_zone, 'UTC')) end as outage,
        s.schedule_id is not null as schedule_exists, s.overlap, s.resource, s.catch_up,
        extract(epoch from s.max_late)::float8 as max_late_seconds, s.max_catch_up,
        s.config_name, c.is_active as config_is_active,
        case when l.paused_until > clock_timestamp() then dba.pause_words('lane "' || l.lane || '"', l.paused_by, l.paused_until, l.pause_reason, s.time_zone) end as lane_pause,
        case when s.paused_until > r.due_at then dba.pause_words('schedule', s.paused_by, s.paused_until, s.pause_reason, s.time_zone) end as schedule_pause,
        r.job, j.max_running as job_limit,
        case when j.holds_for_data and r.attempt = 0 then dba.data_hold(r.job, r.run_id) end as data_hold
      from due
      join dba.run r using (run_id)
      left join dba.scheduler s using (schedule_id)
      left join dba.jobconfig c on c.job = s.job and c.config_name = s.config_name
      left join dba.lane l on l.lane = case when r.attempt > 0 then r.lane else s.lane end
      left join dba.job j on j.job = r.job
      order by coalesce(r.priority, s.priority, 0) desc, r.due_at, r.scheduled_for
      for update of r skip locked`,
    values: [afterSchedule ?? '9223372036854775807'],
  })
  return rows.map(toDueRun)
}

function toDueRun(row: DueRow): DueRun {
  return {
    runId: row.run_id,
    scheduleId: row.schedule_id,
    scheduleName: row.schedule_name,
    state: row.state,
    waitsFor: row.waits_for,
    trigger: row.trigger,
    attempt: row.attempt,
    isRequested: row.is_requested,
    dueAt: row.due_at,
    lateSeconds: row.late_seconds,
    laterDue: row.later_due,
    isBeforeHome: row.is_before_home,
    outage: row.outage,
    reason: row.reason,
    schedule: row.schedule_exists
      ? {
          overlap: row.overlap,
          resource: row.resource,
          catchUp: row.catch_up,
          maxLateSeconds: row.max_late_seconds,
          maxCatchUp: row.max_catch_up,
        }
      : null,
    config: row.config_name === null ? null : { name: row.config_name, isActive: row.config_is_active ?? true },
    lanePause: row.lane_pause,
    schedulePause: row.schedule_pause,
    jobName: row.job,
    jobLimit: row.job_limit,
    dataHold: row.data_hold,
  }
}

/** Runs that are open now, of the schedules, resources and limited jobs that the due ones concern. */
export async function readOpenRuns(client: ClientBase, due: DueRun[]): Promise<OpenRuns> {
  const scheduleIds = [...new Set(due.map((run) => run.scheduleId))]
  const resources = [...new Set(due.flatMap((run) => run.schedule?.resource ?? []))]
  const limitedJobs = [...new Set(due.filter((run) => run.jobLimit !== null).map((run) => run.jobName))]
  const { rows } = await client.query<OpenRow>({
    name: 'open-runs',
    text: `
      select run_id, schedule_id, schedule_name, state, resource, job, waits_for, requested_by is not null as is_requested, queued_at,
        state = 'waiting' and attempt = 0 as is_held
      from dba.run
      where (state in ('queued', 'running') or state = 'waiting')
        and (schedule_id = any ($1) or resource = any ($2) or job = any ($3))
      order by due_at, scheduled_for`,
    values: [scheduleIds, resources, limitedJobs],
  })
  const open: OpenRuns = { ofSchedule: new Map(), ofResource: new Map(), ofJob: new Map(), heldOf: new Map() }
  for (const row of rows) {
    const entry = toOpenRun(row)
    if (row.is_held) {
      open.heldOf.set(row.schedule_id, [...(open.heldOf.get(row.schedule_id) ?? []), entry])
      continue
    }
    open.ofSchedule.set(row.schedule_id, entry)
    if (row.resource !== null) open.ofResource.set(row.resource, entry)
    open.ofJob.set(row.job, (open.ofJob.get(row.job) ?? 0) + 1)
  }
  return open
}

type OpenRow = Pick<RunRow, 'run_id' | 'schedule_id' | 'schedule_name' | 'state' | 'waits_for' | 'queued_at' | 'resource' | 'job'> & {
  is_requested: boolean
  is_held: boolean
}

function toOpenRun(row: OpenRow): OpenRun {
  return {
    runId: row.run_id,
    scheduleId: row.schedule_id,
    scheduleName: row.schedule_name,
    state: row.state,
    waitsFor: row.waits_for,
    isRequested: row.is_requested,
    takenUpAt: row.queued_at,
  }
}

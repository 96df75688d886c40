/** What the command line shows and changes of workers and lanes; what it reads else stands in views. */
import { PermanentError } from '../../systemscripts/errors.ts'
import type { LaneRow, WorkerRow } from '../db/row-types.ts'

/** One session or pool of the control database. */
export interface Reader {
  query<Row extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>
}

export type ListedWorker = Pick<
  WorkerRow,
  'worker' | 'host' | 'pid' | 'version' | 'lanes' | 'state' | 'message' | 'started_at' | 'heartbeat_at'
> & {
  /** How long ago the heartbeat was, in words. */
  last_sign: string
  /** Running, with a sign of life within 20 seconds. */
  is_live: boolean
  running_runs: number
}

export type ListedLane = Pick<LaneRow, 'lane' | 'pause_reason' | 'paused_by'> & {
  has_live_worker: boolean
  active_schedules: number
  /** As Postgres writes it, since it may be `infinity`. Null: it is not paused. */
  paused_until: string | null
}

/** Workers that are there, and those that ended or were lost within a day; the live first. */
export function readWorkers({ query }: Reader): Promise<ListedWorker[]> {
  return query<ListedWorker>(
    `select w.worker, w.host, w.pid, w.version, w.lanes, w.state, w.message, w.started_at, w.heartbeat_at, dba.in_words(w.heartbeat_at) as last_sign,
            w.state = 'running' and w.heartbeat_at > now() - interval '20 seconds' as is_live,
            (select count(*)::integer from dba.run r where r.state = 'running' and r.worker = w.worker) as running_runs
     from dba.worker w
     where w.heartbeat_at > now() - interval '1 day'
     order by is_live desc, w.started_at desc`,
  )
}

export function readLanes({ query }: Reader): Promise<ListedLane[]> {
  return query<ListedLane>(
    `select l.lane, dba.lane_is_alive(l.lane) as has_live_worker,
            (select count(*)::integer from dba.scheduler s where s.lane = l.lane and s.is_active) as active_schedules,
            case when l.paused_until > now() then l.paused_until::text end as paused_until,
            case when l.paused_until > now() then l.pause_reason end as pause_reason,
            case when l.paused_until > now() then l.paused_by end as paused_by
     from dba.lane l
     order by l.lane`,
  )
}

/**
 * Holds every start in a lane. `until`: a moment in the zone of dba.setting.time_zone, a length of time from now, or null until resumed.
 *
 * @returns what was done, in a sentence.
 * @throws PermanentError `lane_not_found`; what dba.parse_until says of a text it cannot read
 */
export async function pauseLane({ query }: Reader, lane: string, until: string | null, reason: string | null): Promise<string> {
  const [paused] = await query<{ said: string }>(
    `update dba.lane set paused_until = dba.parse_until($2, dba.default_time_zone()), pause_reason = $3
     where lane = $1
     returning format('Lane "%s" is paused %s.', lane, case when paused_until = 'infinity' then 'until it is resumed'
       else 'until ' || dba.local_time_text(date_trunc('second', paused_until), dba.default_time_zone()) end) as said`,
    [lane, until, reason],
  )
  if (paused === undefined) throw await laneNotFound({ query }, lane)
  return paused.said
}

/** Lets a lane start again what it holds. @throws PermanentError `lane_not_found` */
export async function resumeLane({ query }: Reader, lane: string): Promise<void> {
  const rows = await query('update dba.lane set paused_until = null, pause_reason = null where lane = $1 returning lane', [lane])
  if (rows.length === 0) throw await laneNotFound({ query }, lane)
}

async function laneNotFound({ query }: Reader, lane: string): Promise<PermanentError> {
  const [known] = await query<{ hint: string }>('select dba.known_names_hint($1, array(select lane from dba.lane)) as hint', [lane])
  return new PermanentError('lane_not_found', `no lane "${lane}"`, known)
}

/** What workers answered at the rows of schedules and connections. */
export interface AnswerRow extends Record<string, unknown> {
  /** `schedule` or `connection`. */
  kind: string
  name: string
  /** `ok`, `invalid` (of a schedule), `failed` (of a connection), `unchecked`, `asked`. */
  state: string
  message: string | null
}

/** The answers of every active schedule and of every connection; by kind and name. */
export function readAnswers({ query }: Reader): Promise<AnswerRow[]> {
  return query<AnswerRow>(
    `select 'schedule' as kind, schedule_name as name, config_state as state, config_message as message
     from dba.scheduler where is_active
     union all
     select 'connection', connection_name, check_state, check_message from dba.connection
     order by 1, 2`,
  )
}

/** Whether a program of that name (application_name) ever wrote what people write, also when it was deleted since. */
export async function hasEverWritten({ query }: Reader, application: string): Promise<boolean> {
  const [found] = await query<{ exists: boolean }>('select exists (select from dba.configaudit where application = $1) as exists', [
    application,
  ])
  return found?.exists === true
}

/** Writes decisions down, each kind in one statement. */
import type { ClientBase } from 'pg'
import type { Filled } from '../db/filled.ts'
import type { RunRow } from '../db/row-types.ts'
import type { Decision } from './decide.ts'
import type { DueRun } from './decision-facts.ts'

/** One message: this attempt of this run shall start in this lane. */
export interface Message {
  lane: string
  runId: string
  attempt: number
  priority: number
}

export interface Decided {
  run: DueRun
  decision: Decision
}

export async function writeEnds(client: ClientBase, decisions: Decided[]): Promise<void> {
  const ends = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'end' ? [{ run_id: run.runId, state: decision.state, reason: decision.reason }] : [],
  )
  if (ends.length === 0) return
  await client.query({
    name: 'write-ends',
    text: `
      update dba.run r set state = d.state, reason = d.reason, finished_at = clock_timestamp(), waits_for = null
      from jsonb_to_recordset($1) as d (run_id uuid, state text, reason text) where r.run_id = d.run_id`,
    values: [JSON.stringify(ends)],
  })
  // A run that ended without starting may be what another one waits for (run_after).
  await client.query(`select pg_notify('rota', 'ended')`)
}

/** @returns how many runs that had not begun were cancelled to make way. */
export async function writeWaits(client: ClientBase, decisions: Decided[]): Promise<number> {
  const waits = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'wait'
      ? [{ run_id: run.runId, waits_for: decision.waitsFor, trigger: decision.trigger ?? run.trigger, reason: decision.reason }]
      : [],
  )
  if (waits.length === 0) return 0
  await client.query({
    name: 'write-waits',
    text: `
      update dba.run r set state = 'waiting', waits_for = d.waits_for, trigger = d.trigger, reason = d.reason
      from jsonb_to_recordset($1) as d (run_id uuid, waits_for text, trigger text, reason text)
      where r.run_id = d.run_id and (r.state, r.waits_for, r.reason) is distinct from ('waiting', d.waits_for, d.reason)`,
    values: [JSON.stringify(waits)],
  })
  await endSurplus(client, decisions)
  return await cancelOverlapped(client, decisions)
}

/** While a lane is paused a schedule holds no more fires than catch_up will run; those before them are missed at once. */
async function endSurplus(client: ClientBase, decisions: Decided[]): Promise<void> {
  const scheduleIds = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'wait' && decision.waitsFor === 'lane' && run.trigger === 'cron' && !run.isRequested ? [run.scheduleId] : [],
  )
  if (scheduleIds.length === 0) return
  await client.query({
    name: 'end-surplus',
    text: `
      update dba.run r
      set state = 'missed', finished_at = clock_timestamp(), waits_for = null,
        reason = format('%s; a later fire is held in its place (catch_up is %s)', r.reason, h.catch_up)
      from (
        select x.run_id, s.catch_up, row_number() over (partition by x.schedule_id order by x.due_at desc, x.scheduled_for desc)
          > case s.catch_up when 'all' then greatest(s.max_catch_up, 1) else 1 end as is_surplus
        from dba.run x join dba.scheduler s using (schedule_id)
        where x.schedule_id = any ($1) and x.state = 'waiting' and x.attempt = 0 and x.waits_for = 'lane' and x.trigger = 'cron' and x.requested_by is null
      ) h
      where r.run_id = h.run_id and h.is_surplus`,
    values: [scheduleIds],
  })
}

async function cancelOverlapped(client: ClientBase, decisions: Decided[]): Promise<number> {
  const cancels = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'wait' ? (decision.cancels ?? []).map((other) => ({ run_id: other.runId, by: run.runId })) : [],
  )
  if (cancels.length === 0) return 0
  const { rows } = await client.query<Pick<RunRow, 'state'>>({
    name: 'cancel-overlapped',
    text: `
      with free as (
        -- A row that somebody holds open is told at the next look.
        select r.run_id, d.by
        from jsonb_to_recordset($1) as d (run_id uuid, by uuid) join dba.run r on r.run_id = d.run_id
        where not r.cancel_requested and r.state in ('waiting', 'queued', 'running')
        for no key update of r skip locked
      )
      update dba.run r
      set cancel_requested = true, requested_reason = format('overlap: replaced by run %s', f.by), waits_for = null,
        state = case when r.state = 'running' then r.state else 'cancelled' end,
        finished_at = case when r.state = 'running' then null else clock_timestamp() end,
        reason = case when r.state = 'running' then r.reason else format('overlap: replaced by run %s', f.by) end
      from free f where r.run_id = f.run_id
      returning r.state`,
    values: [JSON.stringify(cancels)],
  })
  if (rows.length > 0) await client.query(`select pg_notify('rota', 'cancel')`)
  return rows.filter((row) => row.state === 'cancelled').length
}

export async function writeQueued(client: ClientBase, decisions: Decided[]): Promise<Message[]> {
  const queued = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'queue' ? [{ run_id: run.runId, trigger: decision.trigger ?? run.trigger, reason: decision.reason }] : [],
  )
  if (queued.length === 0) return []
  // The run keeps from here on the terms it is queued under; a retry keeps those of its first attempt.
  const { rows } = await client.query<Pick<RunRow, 'run_id' | 'attempt'> & Filled<RunRow, 'lane' | 'priority'>>({
    name: 'write-queued',
    text: `
      update dba.run r
      set state = 'queued', waits_for = null, queued_at = clock_timestamp(), trigger = d.trigger,
        reason = nullif(concat_ws('; ', d.reason, case when r.state = 'planned' then r.reason end, case when r.attempt = 0 and r.requested_by is not null then t.request_reason end), ''),
        config_name = case when r.attempt > 0 then r.config_name else t.config_name end,
        config_version = case when r.attempt > 0 then r.config_version else t.config_version end,
        args = case when r.attempt > 0 then r.args else t.args || r.args end,
        max_attempts = case when r.attempt > 0 then r.max_attempts else t.max_attempts end,
        retry_delay = case when r.attempt > 0 then r.retry_delay else t.retry_delay end,
        retry_backoff = case when r.attempt > 0 then r.retry_backoff else t.retry_backoff end,
        timeout = case when r.attempt > 0 then r.timeout when r.trigger = 'always' then null else t.timeout end,
        overlap = case when r.attempt > 0 then r.overlap else t.overlap end,
        lane = case when r.attempt > 0 then r.lane else t.lane end,
        priority = case when r.attempt > 0 then r.priority else coalesce(r.priority, t.priority) end,
        resource = case when r.attempt > 0 then r.resource else t.resource end
      from jsonb_to_recordset($1) as d (run_id uuid, trigger text, reason text)
      join dba.run x on x.run_id = d.run_id
      left join lateral (
        select s.config_name, c.version as config_version, s.args, s.max_attempts, s.retry_delay, s.retry_backoff, s.timeout, s.overlap,
          s.lane, s.priority, s.resource,
          nullif(concat_ws(', ',
            case when not s.is_active then 'the schedule is switched off' end,
            case when s.paused_until > clock_timestamp() then dba.pause_words('the schedule', s.paused_by, s.paused_until, s.pause_reason, s.time_zone) end,
            case when c.is_active = false then format('config "%s" is switched off', s.config_name) end,
            case when s.on_holiday <> 'run' and dba.is_workday(s.calendar, (clock_timestamp() at time zone s.time_zone)::date) = false
              then dba.holiday_words(s.calendar, (clock_timestamp() at time zone s.time_zone)::date) end), '')
            || '; it runs because a person asked for it' as request_reason
        from dba.scheduler s left join dba.jobconfig c on c.job = s.job and c.config_name = s.config_name
        where s.schedule_id = x.schedule_id) t on true
      where r.run_id = d.run_id
      returning r.run_id, r.lane, r.attempt, r.priority`,
    values: [JSON.stringify(queued)],
  })
  return rows.map((row) => ({ lane: row.lane, runId: row.run_id, attempt: row.attempt + 1, priority: row.priority }))
}

/** Writes decisions down, each kind in one statement. */
import type { ClientBase } from 'pg'
import type { Decision, DueRun } from './decide.ts'

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

export async function writeWaits(client: ClientBase, decisions: Decided[]): Promise<void> {
  const waits = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'wait' ? [{ run_id: run.runId, waits_for: decision.waitsFor, reason: decision.reason }] : [],
  )
  if (waits.length === 0) return
  await client.query({
    name: 'write-waits',
    text: `
      update dba.run r set state = 'waiting', waits_for = d.waits_for, reason = d.reason
      from jsonb_to_recordset($1) as d (run_id uuid, waits_for text, reason text)
      where r.run_id = d.run_id and (r.state, r.waits_for, r.reason) is distinct from ('waiting', d.waits_for, d.reason)`,
    values: [JSON.stringify(waits)],
  })
  const cancels = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'wait' && decision.cancels ? [{ run_id: decision.cancels.runId, by: run.runId }] : [],
  )
  if (cancels.length === 0) return
  await client.query({
    name: 'cancel-overlapped',
    text: `
      with told as (
        update dba.run r
        set cancel_requested = true, requested_reason = format('overlap: replaced by run %s', d.by),
          state = case when r.state = 'running' then r.state else 'cancelled' end,
          finished_at = case when r.state = 'running' then null else clock_timestamp() end,
          reason = case when r.state = 'running' then r.reason else format('overlap: replaced by run %s', d.by) end
        from jsonb_to_recordset($1) as d (run_id uuid, by uuid)
        where r.run_id = d.run_id and not r.cancel_requested
        returning 1)
      select pg_notify('rota', 'cancel') from told limit 1`,
    values: [JSON.stringify(cancels)],
  })
}

export async function writeQueued(client: ClientBase, decisions: Decided[]): Promise<Message[]> {
  const queued = decisions.flatMap(({ run, decision }) =>
    decision.kind === 'queue' ? [{ run_id: run.runId, trigger: decision.trigger ?? run.trigger, reason: decision.reason }] : [],
  )
  if (queued.length === 0) return []
  // The run keeps from here on the terms it is queued under; a retry keeps those of its first attempt.
  const { rows } = await client.query<{ run_id: string; lane: string; attempt: number; priority: number }>({
    name: 'write-queued',
    text: `
      update dba.run r
      set state = 'queued', waits_for = null, queued_at = clock_timestamp(), trigger = d.trigger,
        reason = coalesce(d.reason, case when r.attempt = 0 and r.trigger in ('request', 'api') then t.request_reason end),
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
            case when s.paused_until > clock_timestamp() then 'the schedule is paused' end,
            case when c.is_active = false then 'the config is switched off' end), '') || '; it runs because a person asked for it' as request_reason
        from dba.scheduler s left join dba.jobconfig c on c.job = s.job and c.config_name = s.config_name
        where s.schedule_id = x.schedule_id) t on true
      where r.run_id = d.run_id
      returning r.run_id, r.lane, r.attempt, r.priority`,
    values: [JSON.stringify(queued)],
  })
  return rows.map((row) => ({ lane: row.lane, runId: row.run_id, attempt: row.attempt + 1, priority: row.priority }))
}

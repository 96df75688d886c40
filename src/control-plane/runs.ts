/** The life of a run once it is queued: claimed, kept alive, ended. Every statement names attempt and worker, so a zombie changes nothing. */
import type { ClientBase, Pool } from 'pg'
import { type FourFields, JobError } from '../../systemscripts/errors.ts'
import type { Outcome } from '../job/outcome.ts'
import { storableJson, storableText } from './storable.ts'

/** A run that this worker has claimed, as the attempt needs it. */
export interface ClaimedRun {
  runId: string
  scheduleId: number
  scheduleName: string
  job: string
  configName: string | null
  configVersion: number | null
  args: Record<string, unknown>
  trigger: string
  attempt: number
  maxAttempts: number
  scheduledFor: Date
  /** Null: no limit (@always). */
  timeoutSeconds: number | null
  dueAt: Date
  startedAt: Date
}

/** Turns queued runs into running ones, for the messages just fetched and in their transaction. Stale messages claim nothing. */
export async function claimRuns(client: ClientBase, worker: string, messages: { runId: string; attempt: number }[]): Promise<ClaimedRun[]> {
  const { rows } = await client.query<ClaimRow>({
    name: 'claim-runs',
    text: `
      with free as (
        -- A row that somebody holds open must not hold up the others; its message is sent again in a minute.
        select r.run_id, m.attempt
        from unnest($2::uuid[], $3::integer[]) as m (run_id, attempt)
        join dba.run r on r.run_id = m.run_id and r.state = 'queued' and r.attempt = m.attempt - 1
        for update of r skip locked
      ), claimed as (
        update dba.run r
        set state = 'running', attempt = m.attempt, worker = $1, started_at = coalesce(r.started_at, clock_timestamp()), heartbeat_at = clock_timestamp(),
          progress = null, progress_note = null, error_code = null, error_message = null, error_detail = null, error_hint = null
        from free m
        where r.run_id = m.run_id
        returning r.*
      ), begun as (
        insert into dba.attempt (run_id, attempt, worker, started_at) select run_id, attempt, $1, clock_timestamp() from claimed
      )
      select run_id, schedule_id, schedule_name, job, config_name, config_version, args, trigger, attempt, max_attempts, scheduled_for, due_at, started_at,
        extract(epoch from timeout)::float8 as timeout_seconds
      from claimed order by priority desc, due_at`,
    values: [worker, messages.map((message) => message.runId), messages.map((message) => message.attempt)],
  })
  return rows.map((row) => ({
    runId: row.run_id,
    scheduleId: row.schedule_id,
    scheduleName: row.schedule_name,
    job: row.job,
    configName: row.config_name,
    configVersion: row.config_version,
    args: row.args,
    trigger: row.trigger,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    scheduledFor: row.scheduled_for,
    timeoutSeconds: row.timeout_seconds,
    dueAt: row.due_at,
    startedAt: row.started_at,
  }))
}

interface ClaimRow {
  run_id: string
  schedule_id: number
  schedule_name: string
  job: string
  config_name: string | null
  config_version: number | null
  args: Record<string, unknown>
  trigger: string
  attempt: number
  max_attempts: number
  scheduled_for: Date
  due_at: Date
  started_at: Date
  timeout_seconds: number | null
}

/** Which attempt of which run: what every later statement must still match. */
export interface Lease {
  runId: string
  attempt: number
  worker: string
}

/**
 * Locks the run's row and proves that it still belongs to this attempt; the last statement before a commit.
 * @throws JobError lease_lost
 */
export async function proveLease(client: Pick<ClientBase, 'query'>, lease: Lease): Promise<void> {
  const { rowCount } = await client.query({
    name: 'prove-lease',
    text: `select from dba.run where run_id = $1 and attempt = $2 and worker = $3 and state = 'running' for update`,
    values: [lease.runId, lease.attempt, lease.worker],
  })
  if (rowCount === 1) return
  throw new JobError('lease_lost', `Attempt ${lease.attempt} no longer holds run ${lease.runId}`, {
    detail: 'Its worker gave no sign of life for too long, or the run was ended by somebody else.',
    hint: 'Nothing to do: what this attempt had not committed was rolled back, and the run goes on elsewhere.',
  })
}

/** How an attempt ended. */
export type AttemptEnd =
  | { outcome: 'succeeded'; facts: Outcome }
  | { outcome: 'failed'; error: FourFields; isPermanent: boolean }
  | { outcome: 'cancelled'; reason: string }
  /** The worker stops: the attempt does not count. */
  | { outcome: 'handed_back'; error: FourFields }

/**
 * Writes the end of an attempt and what it means for the run: succeeded, cancelled, failed for good, or waiting for the next attempt with
 * growing delay (a tenth of jitter either way).
 *
 * @returns the run's state afterwards, or null when the attempt no longer held the run; then nothing was written.
 */
export async function endAttempt(client: Pick<ClientBase, 'query'>, lease: Lease, end: AttemptEnd): Promise<string | null> {
  const facts: Outcome = end.outcome === 'succeeded' ? end.facts : {}
  const error = 'error' in end ? end.error : null
  const { rows } = await client.query<{ state: string }>({
    name: 'end-attempt',
    text: `
      with held as (
        select r.*,
          case
            when $4 = 'succeeded' then 'succeeded'
            when r.cancel_requested or $4 = 'cancelled' then 'cancelled'
            when $4 = 'handed_back' then 'waiting'
            when $5 then 'failed'
            when r.trigger = 'always' or r.attempt < r.max_attempts then 'waiting'
            else 'failed'
          end as next_state,
          r.retry_delay * case when r.trigger = 'always' then 1 else power(r.retry_backoff::float8, least(r.attempt - 1, 30)) end * (0.9 + 0.2 * random()) as next_delay
        from dba.run r
        where r.run_id = $1 and r.attempt = $2 and r.worker = $3 and r.state = 'running'
        for update
      ), ended as (
        update dba.run r
        set state = h.next_state,
          finished_at = case when h.next_state = 'waiting' then null else clock_timestamp() end,
          due_at = case when h.next_state <> 'waiting' then r.due_at when $4 = 'handed_back' then clock_timestamp() else clock_timestamp() + least(h.next_delay, interval '1 day') end,
          waits_for = case when h.next_state = 'waiting' then 'retry' end,
          max_attempts = case when $4 = 'handed_back' then least(r.max_attempts + 1, 32000) else r.max_attempts end,
          reason = case
            when h.next_state = 'cancelled' then coalesce(nullif(concat_ws(': ', 'cancelled by ' || r.requested_by, r.requested_reason), ''), $10)
            when $4 = 'handed_back' then 'its worker was stopped; another one goes on with it'
            when h.next_state = 'waiting' then format('attempt %s of %s failed (%s); the next begins in %s', r.attempt, case when r.trigger = 'always' then 'any number' else r.max_attempts::text end, $6::text,
              to_char(date_trunc('second', least(h.next_delay, interval '1 day') + interval '0.5 second'), 'HH24:MI:SS'))
            else r.reason end,
          error_code = $6, error_message = $7, error_detail = $8, error_hint = $9,
          progress = case when h.next_state = 'succeeded' then 1 else r.progress end,
          note = $11, rows_read = $12, rows_written = $13, rows_rejected = $14, bytes_read = $15, files = $16, result = $17
        from held h where r.run_id = h.run_id
        returning r.run_id, r.state, r.schedule_id, r.schedule_name, r.resource, r.job, r.trigger
      ), attempt_ended as (
        update dba.attempt a
        set finished_at = clock_timestamp(),
          outcome = case when e.state = 'cancelled' and $4 <> 'succeeded' then 'cancelled' else $4 end,
          error_code = $6, error_message = $7, error_detail = $8, error_hint = $9
        from ended e where a.run_id = e.run_id and a.attempt = $2
      ), told as (
        -- Only where somebody may wait for this end is the planner woken.
        select pg_notify('rota', 'ended') from ended e
        where e.state = 'waiting' or e.trigger = 'always' or e.resource is not null
          or exists (select from dba.run w where w.schedule_id = e.schedule_id and w.state = 'waiting' and w.attempt = 0)
          or exists (select from dba.job j where j.job = e.job and j.max_running is not null)
          or exists (select from dba.scheduler s where s.run_after is not null and e.schedule_name = any (s.run_after))
      )
      select e.state from ended e left join told on true`,
    values: [
      lease.runId,
      lease.attempt,
      lease.worker,
      end.outcome,
      end.outcome === 'failed' && end.isPermanent,
      error?.code ?? null,
      storableText(error?.message),
      storableText(error?.detail),
      storableText(error?.hint),
      end.outcome === 'cancelled' ? storableText(end.reason) : null,
      storableText(facts.note),
      facts.rowsRead ?? null,
      facts.rowsWritten ?? null,
      facts.rowsRejected ?? null,
      facts.bytesRead ?? null,
      facts.files ?? null,
      facts.result === undefined ? null : storableJson(facts.result),
    ],
  })
  return rows[0]?.state ?? null
}

/** A sign of life for the worker and its runs; returns the runs it still holds, and which of them somebody wants stopped. */
export async function beat(pool: Pool, worker: string): Promise<{ runId: string; attempt: number; cancelReason: string | null }[]> {
  const { rows } = await pool.query<{ run_id: string; attempt: number; cancel_reason: string | null }>({
    name: 'beat',
    text: `
      with alive as (
        update dba.worker set heartbeat_at = clock_timestamp() where worker = $1
      ), free as (
        select run_id from dba.run where worker = $1 and state = 'running' for no key update skip locked
      ), beaten as (
        update dba.run r set heartbeat_at = clock_timestamp() from free where r.run_id = free.run_id
      )
      select run_id, attempt, case when cancel_requested then coalesce(requested_reason, 'cancelled by ' || requested_by, 'cancelled') end as cancel_reason
      from dba.run where worker = $1 and state = 'running'`,
    values: [worker],
  })
  return rows.map((row) => ({ runId: row.run_id, attempt: row.attempt, cancelReason: row.cancel_reason }))
}

/** Writes how far an attempt is; does nothing when it no longer holds the run. */
export async function writeProgress(pool: Pool, lease: Lease, fraction: number | null, note: string | null): Promise<void> {
  await pool.query({
    name: 'write-progress',
    text: `update dba.run set progress = $4, progress_note = $5 where run_id = $1 and attempt = $2 and worker = $3 and state = 'running'`,
    values: [lease.runId, lease.attempt, lease.worker, fraction, storableText(note)],
  })
}

/** Runs that are queued for more than a minute: their messages are sent again, in case the queue lost them. */
export async function longQueued(pool: Pool): Promise<{ lane: string; runId: string; attempt: number; priority: number }[]> {
  const { rows } = await pool.query<{ lane: string; run_id: string; attempt: number; priority: number }>({
    name: 'long-queued',
    text: `select lane, run_id, attempt, priority from dba.run where state = 'queued' and queued_at < clock_timestamp() - interval '1 minute' order by queued_at limit 1000`,
  })
  return rows.map((row) => ({ lane: row.lane, runId: row.run_id, attempt: row.attempt + 1, priority: row.priority }))
}

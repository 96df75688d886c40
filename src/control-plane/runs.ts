/** The life of a run once it is queued: claimed and kept alive; how it ends is in attempt-ends.ts. Every statement names attempt and worker, so a zombie changes nothing. */
import type { ClientBase, Pool } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'
import type { Filled } from '../db/filled.ts'
import type { RunRow } from '../db/row-types.ts'
import { storableText } from './storable.ts'

/** A run that this worker has claimed, as the attempt needs it. */
export interface ClaimedRun {
  runId: string
  scheduleId: number
  scheduleName: string
  job: string
  configName: string | null
  configVersion: number | null
  args: Record<string, unknown>
  trigger: RunRow['trigger']
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

type ClaimRow = Pick<
  RunRow,
  | 'run_id'
  | 'schedule_id'
  | 'schedule_name'
  | 'job'
  | 'config_name'
  | 'config_version'
  | 'args'
  | 'trigger'
  | 'attempt'
  | 'scheduled_for'
  | 'due_at'
> &
  Filled<RunRow, 'max_attempts' | 'started_at'> & { timeout_seconds: number | null }

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

/** A sign of life for the worker and its runs; returns the runs it still holds, and which of them somebody wants stopped. */
export async function beat(pool: Pool, worker: string): Promise<{ runId: string; attempt: number; cancelReason: string | null }[]> {
  const { rows } = await pool.query<Pick<RunRow, 'run_id' | 'attempt'> & { cancel_reason: string | null }>({
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
  const { rows } = await pool.query<Pick<RunRow, 'run_id' | 'attempt'> & Filled<RunRow, 'lane' | 'priority'>>({
    name: 'long-queued',
    text: `select lane, run_id, attempt, priority from dba.run where state = 'queued' and queued_at < clock_timestamp() - interval '1 minute' order by queued_at limit 1000`,
  })
  return rows.map((row) => ({ lane: row.lane, runId: row.run_id, attempt: row.attempt + 1, priority: row.priority }))
}

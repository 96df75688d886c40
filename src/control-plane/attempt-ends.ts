/** How attempts end in the ledger. Every statement names attempt and worker, so a zombie changes nothing. */
import type { ClientBase } from 'pg'
import type { FourFields } from '../../systemscripts/errors.ts'
import type { RunRow } from '../db/row-types.ts'
import type { Outcome } from '../job/outcome.ts'
import type { Lease } from './runs.ts'
import { storableJson, storableText } from './storable.ts'

/** How an attempt ended. */
export type AttemptEnd =
  | { outcome: 'succeeded'; facts: Outcome }
  | { outcome: 'failed'; error: FourFields; isPermanent: boolean }
  | { outcome: 'cancelled'; reason: string }
  /** The worker stops: the attempt does not count. */
  | { outcome: 'handed_back'; error: FourFields }

export interface EndOfAttempt {
  lease: Lease
  end: AttemptEnd
}

/**
 * Writes the ends of attempts and what they mean for their runs: succeeded, cancelled, failed for good, or waiting for the next attempt with
 * growing delay (a tenth of jitter either way). All of them in one transaction, or none.
 *
 * @param heldRows what becomes of an end whose row somebody holds open: `wait` for it, or `pass` it over.
 * @returns states of the runs afterwards, by run. One that is not there was passed over, or the attempt no longer held the run; then nothing of
 *   it was written.
 */
export async function endAttempts(
  client: Pick<ClientBase, 'query'>,
  ends: EndOfAttempt[],
  heldRows: 'wait' | 'pass',
): Promise<Map<string, RunRow['state']>> {
  const { rows } = await client.query<Pick<RunRow, 'run_id' | 'state'>>({
    name: `end-attempts-${heldRows}`,
    text: heldRows === 'wait' ? endAttemptsQuery('for update of r') : endAttemptsQuery('for update of r skip locked'),
    values: [JSON.stringify(ends.map(endRow))],
  })
  return new Map(rows.map((row) => [row.run_id, row.state]))
}

/** Counts cross as text: a number that is no whole one is then refused by the column, where JSON would make null of it. */
function endRow({ lease, end }: EndOfAttempt): Record<string, unknown> {
  const facts: Outcome = end.outcome === 'succeeded' ? end.facts : {}
  const error = 'error' in end ? end.error : null
  return {
    run_id: lease.runId,
    attempt: lease.attempt,
    worker: lease.worker,
    outcome: end.outcome,
    is_permanent: end.outcome === 'failed' && end.isPermanent,
    error_code: error?.code,
    error_message: storableText(error?.message),
    error_detail: storableText(error?.detail),
    error_hint: storableText(error?.hint),
    cancel_reason: end.outcome === 'cancelled' ? storableText(end.reason) : null,
    note: storableText(facts.note),
    rows_read: facts.rowsRead?.toString(),
    rows_written: facts.rowsWritten?.toString(),
    rows_rejected: facts.rowsRejected?.toString(),
    bytes_read: facts.bytesRead?.toString(),
    files: facts.files?.toString(),
    result: facts.result === undefined ? null : storableJson(facts.result),
  }
}

function endAttemptsQuery(lock: string): string {
  return `
    with held as (
      select e.*, r.trigger, r.max_attempts, r.requested_by, r.requested_reason,
        went_on.is_true as went_on,
        case
          when e.outcome = 'succeeded' then 'succeeded'
          when r.cancel_requested or e.outcome = 'cancelled' then 'cancelled'
          when e.outcome = 'handed_back' or went_on.is_true then 'waiting'
          when e.is_permanent then 'failed'
          when r.trigger = 'always' or r.attempt < r.max_attempts then 'waiting'
          else 'failed'
        end as next_state,
        least(interval '1 day', r.retry_delay * case when r.trigger = 'always' then 1 else power(r.retry_backoff::float8, least(r.attempt - 1, 30)) end * (0.9 + 0.2 * random())) as next_delay
      from jsonb_to_recordset($1) as e (
        run_id uuid, attempt integer, worker text, outcome text, is_permanent boolean, error_code text, error_message text, error_detail text,
        error_hint text, cancel_reason text, note text, rows_read bigint, rows_written bigint, rows_rejected bigint, bytes_read bigint,
        files integer, result text)
      -- By the key alone: no index of open runs, full of those that have just ended, is to be looked through.
      join dba.run r on r.run_id = e.run_id and (r.attempt, r.worker, r.state) is not distinct from (e.attempt, e.worker, 'running')
      -- Out of time, but further than it began: the next attempt goes on there.
      cross join lateral (
        select e.error_code = 'timed_out' and exists (select from dba.attempt a where a.run_id = e.run_id and a.attempt = e.attempt and a.advanced_at is not null) as is_true
      ) went_on
      ${lock}
    ), ended as (
      update dba.run r
      set state = h.next_state,
        finished_at = case when h.next_state = 'waiting' then null else clock_timestamp() end,
        due_at = case when h.next_state <> 'waiting' then r.due_at when h.outcome = 'handed_back' or h.went_on then clock_timestamp() else clock_timestamp() + h.next_delay end,
        waits_for = case when h.next_state = 'waiting' then 'retry' end,
        max_attempts = case when h.next_state = 'waiting' and (h.outcome = 'handed_back' or h.went_on) then least(r.max_attempts + 1, 32000) else r.max_attempts end,
        reason = case
          when h.next_state = 'cancelled' then coalesce(nullif(concat_ws(': ', 'cancelled by ' || h.requested_by, h.requested_reason), ''), h.cancel_reason)
          when h.outcome = 'handed_back' then 'its worker was stopped; another one goes on with it'
          when h.next_state = 'waiting' and h.went_on then format('attempt %s ran out of time and got ahead; the next goes on where it stood', h.attempt)
          when h.next_state = 'waiting' then format('attempt %s of %s failed (%s); the next begins in %s', h.attempt, case when h.trigger = 'always' then 'any number' else h.max_attempts::text end, h.error_code,
            to_char(date_trunc('second', h.next_delay + interval '0.5 second'), 'HH24:MI:SS'))
          else r.reason end,
        error_code = h.error_code, error_message = h.error_message, error_detail = h.error_detail, error_hint = h.error_hint,
        progress = case when h.next_state = 'succeeded' then 1 else r.progress end,
        note = h.note, rows_read = h.rows_read, rows_written = h.rows_written, rows_rejected = h.rows_rejected, bytes_read = h.bytes_read, files = h.files,
        result = h.result::jsonb
      from held h where r.run_id = h.run_id
      returning r.run_id, r.state, r.schedule_id, r.schedule_name, r.resource, r.job, r.trigger
    ), attempts_ended as (
      update dba.attempt a
      set finished_at = clock_timestamp(),
        outcome = case when h.next_state = 'cancelled' then 'cancelled' else h.outcome end,
        error_code = h.error_code, error_message = h.error_message, error_detail = h.error_detail, error_hint = h.error_hint
      from held h where a.run_id = h.run_id and a.attempt = h.attempt
    ), told as (
      -- Only where somebody may wait for this end is the planner woken.
      select pg_notify('rota', 'ended')
      where exists (
        select from ended e
        where e.state = 'waiting' or e.trigger = 'always' or e.resource is not null
          or exists (select from dba.run w where w.schedule_id = e.schedule_id and w.state = 'waiting' and w.attempt = 0)
          or exists (select from dba.job j where j.job = e.job and j.max_running is not null)
          or exists (select from dba.run w where w.state = 'waiting' and w.waits_for = 'data')
          or exists (select from dba.scheduler s where s.run_after @> array[e.schedule_name]))
    )
    select e.run_id, e.state from ended e left join told on true`
}

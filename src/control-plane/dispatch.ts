/**
 * Queues what is due. One dispatcher at a time (an advisory lock that ends with its transaction): state change and queue message commit
 * together, so a fire runs once however many workers there are.
 */
import type { ClientBase, Pool } from 'pg'
import { decide } from './decide.ts'
import type { DueRun } from './decision-facts.ts'
import { dispatchBatchSize, type HeldFrom, readDueRuns, readOpenRuns } from './due-runs.ts'
import { inTransaction } from './transaction.ts'
import { type Message, writeEnds, writeQueued, writeWaits } from './write-decisions.ts'

/** Puts messages into the queue within the given transaction. */
export type Enqueue = (client: ClientBase, messages: Message[]) => Promise<void>

/**
 * Decides every run that is due now, in batches, and every held one that could start.
 *
 * @returns the messages that were queued; empty when nothing was due or another dispatcher is at work.
 */
export async function dispatchDueRuns(pool: Pool, enqueue: Enqueue): Promise<Message[]> {
  const queued: Message[] = []
  let afterSchedule: number | null = 0
  for (;;) {
    const batch: Batch = await inTransaction(pool, (client) => dispatchBatch(client, enqueue, { afterSchedule }))
    queued.push(...batch.messages)
    if (batch.due < dispatchBatchSize && batch.held < dispatchBatchSize && !batch.hasFreed) return queued
    // What ended or started without having begun before makes way for those behind it; else the look goes on where this one stopped.
    afterSchedule = batch.hasFreed ? 0 : batch.held < dispatchBatchSize ? null : batch.lastHeld
  }
}

/** When there is something to do next, as milliseconds from now, or null when nothing is known. Negative: it is due already, and nobody has decided it. */
export async function untilNextDue(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ wait: number | null }>({
    name: 'until-next-due',
    text: `
      select (extract(epoch from least(
        (select min(due_at) from dba.run where (state = 'planned' or state = 'waiting' and attempt > 0) and waits_for is distinct from 'lane'),
        (select min(refill_at) from dba.plan where refill_at is not null),
        (select min(paused_until) from dba.lane where paused_until > clock_timestamp() and paused_until < 'infinity'),
        (select min(paused_until) from dba.scheduler where lower(cron) = '@always' and paused_until > clock_timestamp() and paused_until < 'infinity'))
        - clock_timestamp()) * 1000)::float8 as wait
      where dba.is_home()`,
  })
  return rows[0]?.wait ?? null
}

interface Batch {
  messages: Message[]
  /** How many due runs and how many held ones were looked at. */
  due: number
  held: number
  /** Greatest schedule_id among the held ones. */
  lastHeld: number
  hasFreed: boolean
}

async function dispatchBatch(client: ClientBase, enqueue: Enqueue, from: HeldFrom): Promise<Batch> {
  const { rows } = await client.query<{ mine: boolean }>({
    name: 'dispatch-lock',
    text: `select pg_try_advisory_xact_lock(hashtext('rota.dispatch')) and dba.is_home() as mine`,
  })
  const due = rows[0]?.mine ? await readDueRuns(client, from) : []
  if (due.length === 0) return { messages: [], due: 0, held: 0, lastHeld: 0, hasFreed: false }
  const open = await readOpenRuns(client, due)
  const decisions = due.map((run) => ({ run, decision: decide(run, open) }))
  await writeEnds(client, decisions)
  const cancelled = await writeWaits(client, decisions)
  const messages = await writeQueued(client, decisions)
  if (messages.length > 0) {
    await enqueue(client, messages)
    await client.query(`select pg_notify('rota', 'queued')`)
  }
  const held = decisions.filter(({ run }) => isHeld(run))
  return {
    messages,
    due: due.length - held.length,
    held: held.length,
    lastHeld: Math.max(0, ...held.map(({ run }) => run.scheduleId)),
    hasFreed: cancelled > 0 || held.some(({ decision }) => decision.kind !== 'wait'),
  }
}

function isHeld(run: DueRun): boolean {
  return run.state === 'waiting' && run.attempt === 0
}

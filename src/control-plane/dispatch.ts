/**
 * Queues what is due. One dispatcher at a time (an advisory lock that ends with its transaction): state change and queue message commit
 * together, so a fire runs once however many workers there are.
 */
import type { ClientBase, Pool } from 'pg'
import { decide } from './decide.ts'
import { readDueRuns, readOpenRuns } from './due-runs.ts'
import { inTransaction } from './transaction.ts'
import { type Message, writeEnds, writeQueued, writeWaits } from './write-decisions.ts'

/** Puts messages into the queue within the given transaction. */
export type Enqueue = (client: ClientBase, messages: Message[]) => Promise<void>

/** Runs looked at in one transaction. */
const batchSize = 500

/**
 * Decides every run that is due now, in batches.
 *
 * @returns the messages that were queued; empty when nothing was due or another dispatcher is at work.
 */
export async function dispatchDueRuns(pool: Pool, enqueue: Enqueue): Promise<Message[]> {
  const queued: Message[] = []
  for (;;) {
    const batch = await inTransaction(pool, (client) => dispatchBatch(client, enqueue))
    queued.push(...batch.messages)
    if (batch.looked < batchSize) return queued
  }
}

/** When the next run becomes due, as milliseconds from now, or null when none is known. Negative: it is due already, and nobody has decided it. */
export async function untilNextDue(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ wait: number | null }>({
    name: 'until-next-due',
    text: `
      select (extract(epoch from least(
        (select min(due_at) from dba.run where (state = 'planned' or state = 'waiting' and attempt > 0) and waits_for is distinct from 'lane'),
        (select min(refill_at) from dba.plan where refill_at is not null),
        (select min(paused_until) from dba.lane where paused_until > clock_timestamp() and paused_until < 'infinity'))
        - clock_timestamp()) * 1000)::float8 as wait`,
  })
  return rows[0]?.wait ?? null
}

async function dispatchBatch(client: ClientBase, enqueue: Enqueue): Promise<{ looked: number; messages: Message[] }> {
  const { rows } = await client.query<{ mine: boolean }>({
    name: 'dispatch-lock',
    text: `select pg_try_advisory_xact_lock(hashtext('rota.dispatch')) and dba.is_home() as mine`,
  })
  if (!rows[0]?.mine) return { looked: 0, messages: [] }
  const due = await readDueRuns(client, batchSize)
  if (due.length === 0) return { looked: 0, messages: [] }
  const open = await readOpenRuns(client, due)
  const decisions = due.map((run) => ({ run, decision: decide(run, open) }))
  await writeEnds(client, decisions)
  await writeWaits(client, decisions)
  const messages = await writeQueued(client, decisions)
  if (messages.length > 0) {
    await enqueue(client, messages)
    await client.query(`select pg_notify('rota', 'queued')`)
  }
  return { looked: due.length, messages }
}

/**
 * The message carrier. Only this file knows pg-boss: one queue per lane, one message per attempt, its own retries and its cron off. dba.run is
 * the authority; a message only says "look at that run". A message is taken and deleted in the transaction that claims its run, so none is
 * lost between the two, and sending one again changes nothing.
 */
import { createHash } from 'node:crypto'
import { Client, type ClientBase } from 'pg'
import { PgBoss } from 'pg-boss'
import type { Message } from '../control-plane/write-decisions.ts'

const schema = 'pgboss'
/** Messages of runs that no worker takes stay for a year; the ledger decides what becomes of them. */
const keepSeconds = 365 * 86_400

export interface FetchedMessage {
  messageId: string
  runId: string
  attempt: number
}

export interface Queue {
  /** Sends messages within the caller's transaction. A message that is there already is not sent twice. */
  send(client: ClientBase, messages: Message[]): Promise<void>
  /** Takes up to `most` messages of a lane within the caller's transaction, highest priority first. */
  take(client: ClientBase, lane: string, most: number): Promise<FetchedMessage[]>
  /** Deletes messages whose runs were claimed, within the same transaction. */
  drop(client: ClientBase, lane: string, messageIds: string[]): Promise<void>
  close(): Promise<void>
}

/** Installs or upgrades the queue's own schema; called by `rota migrate`, from one process. */
export async function installQueue(url: string): Promise<void> {
  await makeSchema(url)
  const boss = new PgBoss({ connectionString: asWorker(url), schema, max: 2, createSchema: false, supervise: false, schedule: false })
  boss.on('error', () => {})
  try {
    await boss.start()
  } finally {
    await boss.stop({ graceful: false, close: true }).catch(() => undefined)
  }
}

/** The login that migrates may create schemas; rota_worker need not be allowed to. */
async function makeSchema(url: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'rota migrate' })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(`create schema if not exists ${schema} authorization rota_worker`)
  } finally {
    await client.end()
  }
}

/** @param onError told of faults of the carrier's own connections; the caller goes on, polling. */
export async function openQueue(url: string, onError: (error: Error) => void): Promise<Queue> {
  const boss = new PgBoss({
    connectionString: asWorker(url),
    schema,
    max: 2,
    application_name: 'rota queue',
    migrate: false,
    schedule: false,
    supervise: true,
    superviseIntervalSeconds: 600,
  })
  boss.on('error', onError)
  try {
    await boss.start()
  } catch (error) {
    await boss.stop({ graceful: false, close: true }).catch(() => undefined)
    throw error
  }
  const lanes = new Set<string>()

  async function ensureLane(lane: string): Promise<string> {
    const name = `lane_${lane}`
    if (!lanes.has(lane)) {
      await boss.createQueue(name, { retryLimit: 0, retentionSeconds: keepSeconds, deleteAfterSeconds: 3600 })
      lanes.add(lane)
    }
    return name
  }

  return {
    async send(client, messages) {
      for (const [lane, group] of groupByLane(messages)) {
        const jobs = group.map((message) => ({
          id: messageId(message),
          data: { runId: message.runId, attempt: message.attempt },
          priority: message.priority,
        }))
        await boss.insert(await ensureLane(lane), jobs, { db: within(client) })
      }
    },
    async take(client, lane, most) {
      const jobs = await boss.fetch<{ runId: string; attempt: number }>(await ensureLane(lane), { batchSize: most, db: within(client) })
      return jobs.map((job) => ({ messageId: job.id, ...job.data }))
    },
    async drop(client, lane, messageIds) {
      await boss.deleteJob(await ensureLane(lane), messageIds, { db: within(client) })
    },
    async close() {
      await boss.stop({ graceful: false, close: true })
    },
  }
}

function groupByLane(messages: Message[]): Map<string, Message[]> {
  const groups = new Map<string, Message[]>()
  for (const message of messages) groups.set(message.lane, [...(groups.get(message.lane) ?? []), message])
  return groups
}

/** One attempt has one message id, so that sending it again is no second message. */
function messageId(message: Message): string {
  const hex = createHash('sha256').update(`${message.runId} ${message.attempt}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function within(client: ClientBase): { executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> } {
  return { executeSql: (text, values) => client.query(text, values) }
}

/** The queue's tables belong to rota_worker, so its connections become that role at once. */
function asWorker(url: string): string {
  const address = new URL(url)
  address.searchParams.set(
    'options',
    [address.searchParams.get('options'), '-c role=rota_worker'].filter((part) => part !== null).join(' '),
  )
  return address.href
}

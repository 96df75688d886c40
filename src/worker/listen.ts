/** A connection that listens and comes back by itself. What it cannot hear while it is away, the workers find by looking every 30 s. */
import { Client } from 'pg'

export interface Listener {
  /** Listens to these channels besides `rota`; others are left. Takes effect at once, or when the connection is back. */
  setChannels(channels: string[]): void
  /** Runs a statement on the listening session; for locks that shall live as long as it does. Throws while it is away. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

export interface ListenerEvents {
  onNotify(channel: string, payload: string): void
  /** After every connect, the first one included: something may have been missed. */
  onConnect(): void
  onLost(error: Error): void
}

const firstRetryMs = 100
const longestRetryMs = 5000

export function openListener(url: string, events: ListenerEvents): Listener {
  let client: Client | undefined
  let wanted = new Set<string>()
  let heard = new Set<string>()
  let isClosed = false
  let retryMs = firstRetryMs
  let timer: NodeJS.Timeout | undefined
  let connecting: Promise<void> = connect()

  async function connect(): Promise<void> {
    const next = new Client({
      connectionString: url,
      application_name: 'rota listen',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    })
    next.on('error', (error) => lose(next, error))
    next.on('end', () => lose(next, new Error('the connection ended')))
    next.on('notification', ({ channel, payload }) => events.onNotify(channel, payload ?? ''))
    try {
      await next.connect()
      await next.query('listen rota')
      client = next
      heard = new Set()
      await follow()
      retryMs = firstRetryMs
      events.onConnect()
    } catch (error) {
      lose(next, error instanceof Error ? error : new Error(String(error)))
    }
  }

  function lose(lost: Client, error: Error): void {
    if (lost !== client && client !== undefined) return
    client = undefined
    lost.removeAllListeners('end')
    lost.end().catch(() => undefined)
    if (isClosed || timer !== undefined) return
    events.onLost(error)
    timer = setTimeout(() => {
      timer = undefined
      connecting = connect()
    }, retryMs)
    retryMs = Math.min(retryMs * 2, longestRetryMs)
  }

  async function follow(): Promise<void> {
    const session = client
    if (!session) return
    for (const channel of wanted) if (!heard.has(channel)) await session.query(`listen ${session.escapeIdentifier(channel)}`)
    for (const channel of heard) if (!wanted.has(channel)) await session.query(`unlisten ${session.escapeIdentifier(channel)}`)
    heard = new Set(wanted)
  }

  return {
    setChannels(channels) {
      wanted = new Set(channels)
      follow().catch(() => undefined)
    },
    async query(text, values) {
      if (!client) throw new Error('the listening connection is away')
      return (await client.query(text, values)).rows
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      await connecting
      await client?.end()
    },
  }
}

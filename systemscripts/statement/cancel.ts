import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from 'pg'
import { openPostgres, type PostgresServer } from '../postgres.ts'

interface Session {
  server: PostgresServer | string
  applicationName: string
  signal: AbortSignal
}

/**
 * From the abort on cancels what the client's session does, again each second, and ends the session after five.
 *
 * @returns to be called when the statement has ended; resolves when no cancel is under way any more.
 */
export function cancelOnAbort(client: Client, options: Session): () => Promise<void> {
  const done = Promise.withResolvers<void>()
  let isDone = false
  let cancelling = Promise.resolve()
  const start = () => {
    cancelling = cancelUntil(client, options, () => isDone, done.promise)
  }
  options.signal.addEventListener('abort', start, { once: true })
  if (options.signal.aborted) start()
  return async () => {
    isDone = true
    done.resolve()
    options.signal.removeEventListener('abort', start)
    await cancelling
  }
}

const cancelsBeforeEnd = 5

/** By a second session of the same login: unlike the protocol's own cancel it works through TLS, and it can end the session, too. */
async function cancelUntil(
  client: Client,
  { server, applicationName }: Session,
  isDone: () => boolean,
  done: Promise<void>,
): Promise<void> {
  try {
    const second = await openPostgres(server, { applicationName: `${applicationName} cancel`, signal: AbortSignal.timeout(10_000) })
    try {
      for (let tries = 1; !isDone() && tries <= 2 * cancelsBeforeEnd; tries += 1) {
        const order = tries > cancelsBeforeEnd ? 'pg_terminate_backend' : 'pg_cancel_backend'
        await second.query(`select ${order}(pid) from pg_stat_activity where pid = $1`, [pidOf(client)])
        await Promise.race([done, pause(1000, undefined, { ref: false })])
      }
    } finally {
      await second.end()
    }
  } catch {
    // no second session to be had
  }
  // the server notices within seconds that nobody listens any more
  if (!isDone()) client.connection.stream.destroy()
}

/** Told by the server at login; pg's types leave it out. */
function pidOf(client: Client): number | null {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : null
}

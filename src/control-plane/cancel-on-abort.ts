import { setTimeout as pause } from 'node:timers/promises'
import { Client, type ClientBase, type Pool } from 'pg'

/** An abort may come between two statements: then the next one is met. */
const AGAIN_AFTER_MS = 500

/**
 * From the abort on cancels what the client's session does, again and again, by a session beside the pool, in which every place may be taken.
 * A signal that is aborted already changes nothing: what is begun then is meant to clean up.
 *
 * @returns ends it; resolves when no cancel is under way that could meet a later statement
 */
export function cancelOnAbort(pool: Pool, client: ClientBase, signal: AbortSignal): () => Promise<void> {
  const done = Promise.withResolvers<void>()
  let isDone = signal.aborted
  let cancelling = Promise.resolve()
  const start = () => {
    // Without a second session the statement goes on to its end, and is not committed then.
    cancelling = cancelUntilDone().catch(() => {})
  }
  if (!isDone) signal.addEventListener('abort', start, { once: true })
  return async () => {
    isDone = true
    done.resolve()
    signal.removeEventListener('abort', start)
    await cancelling
  }

  async function cancelUntilDone(): Promise<void> {
    const second = new Client({ ...pool.options, application_name: 'rota cancel' })
    // Told by whatever query meets it.
    second.on('error', () => {})
    await second.connect()
    try {
      // The session belongs to the login, whatever role it acts as.
      await second.query('set role none')
      while (!isDone) {
        await second.query('select pg_cancel_backend($1)', [processOf(client)])
        await Promise.race([done.promise, pause(AGAIN_AFTER_MS, undefined, { ref: false })])
      }
    } finally {
      await second.end()
    }
  }
}

/** Told by the server at login; pg's types leave it out. */
function processOf(client: ClientBase): number | null {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : null
}

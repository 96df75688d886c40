import { setTimeout as pause } from 'node:timers/promises'
import { JobError } from '../../../systemscripts/errors.ts'
import { explainError, isConnectionLost } from '../explain-error.ts'
import { readFrom } from './ensure-running.ts'
import type { EmbeddedServer } from './start.ts'

export interface Keeper {
  /** Rejects when the server cannot be kept running; never resolves. */
  failed: Promise<never>
  /** False from the moment its death was seen until it is back. */
  isRunning(): boolean
  /** Does work that may be done any number of times; again, when its connection broke because the server died. */
  persist<T>(work: () => Promise<T>): Promise<T>
  /** Ends the watch, and a start that it has begun; the server itself is for its owner to stop. A second call does nothing. */
  stop(): Promise<void>
}

/** Starts within a minute. One that dies more often has a cause that starting does not mend. */
const mostStarts = 5
const windowMs = 60_000

/**
 * Watches a server and starts it again when it has died: killed, out of memory, stopped by somebody else. Says so in one line, and in
 * another when it is back. At most five starts within a minute; then `failed` rejects.
 *
 * `failed` rejects with JobError `embedded_keeps_dying`, or `embedded_start_failed` when the last of the starts did not succeed.
 */
export function keepRunning(server: EmbeddedServer, log: (line: string) => void): Keeper {
  const stopping = new AbortController()
  const { signal } = stopping
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  let starting: Promise<void> = Promise.resolve()
  let isRunning = true
  const watching = watch().catch((error: unknown) => {
    if (!signal.aborted) failure.reject(error)
  })

  async function watch(): Promise<void> {
    const starts: number[] = []
    for (;;) {
      const how = await server.ended(signal)
      isRunning = false
      starting = startAgain(how, starts)
      await starting
      isRunning = true
    }
  }

  async function startAgain(how: string, starts: number[]): Promise<void> {
    const diedAt = performance.now()
    if (!take(starts)) throw keepsDying(server, how)
    log(`Postgres has died (${how}) and is started again on port ${server.port}.`)
    for (let tries = 1; ; tries += 1) {
      try {
        await server.startAgain(signal)
        break
      } catch (error) {
        if (signal.aborted || !take(starts)) throw error
        log(`${explainError(error).message}; it is tried again in ${tries} s.`)
        await pause(tries * 1000, undefined, { signal })
      }
    }
    log(`Postgres runs again on port ${server.port}, ${((performance.now() - diedAt) / 1000).toFixed(1)} s after it died.`)
  }

  return {
    failed: failure.promise,
    isRunning: () => isRunning,
    async persist(work) {
      for (let tries = 0; ; tries += 1) {
        try {
          return await work()
        } catch (error) {
          if (tries === mostStarts || signal.aborted || !isBroken(error)) throw error
          // a connection's end is seen before its server's
          await Promise.race([pause(1000), failure.promise])
          await Promise.race([starting, failure.promise])
        }
      }
    },
    async stop() {
      stopping.abort()
      await watching
    },
  }
}

/** Enters a start that is about to be made; false: there were enough of them. */
function take(starts: number[]): boolean {
  const now = performance.now()
  const recent = starts.filter((at) => now - at < windowMs)
  if (recent.length >= mostStarts) return false
  starts.splice(0, starts.length, ...recent, now)
  return true
}

function isBroken(error: unknown): boolean {
  return isConnectionLost(error) || (error instanceof Error && error.cause !== undefined && isBroken(error.cause))
}

function keepsDying({ folder, logFile }: EmbeddedServer, how: string): JobError {
  const said = readFrom(logFile, 0).split('\n').slice(-10).join('\n')
  return new JobError('embedded_keeps_dying', 'The embedded Postgres dies again and again', {
    detail: `It was started again ${mostStarts} times within a minute; the last time ${how}. Its log ends with:\n${said}`,
    hint: `Read ${logFile} and the system's log. Short of memory: lower ROTA_CONCURRENCY, or shared_buffers in ${folder}/postgresql.conf; or set DATABASE_URL to a Postgres that runs elsewhere.`,
  })
}

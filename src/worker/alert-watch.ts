/** Keeps watch while a worker lives: incidents, those who are told, disks, and a call outside while all is well. */
import { statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Pool } from 'pg'
import { callUrl } from '../../systemscripts/call-url.ts'
import { callWebhooks } from '../control-plane/alerts/call-webhooks.ts'
import { type DiskSeen, lookAfterAlerts, serverFolder, takeHeartbeat, writeDisks } from '../control-plane/alerts/look.ts'
import { tellByMail } from '../control-plane/alerts/tell-by-mail.ts'
import type { Connections } from '../job/connections.ts'

export interface AlertWatch {
  /** Ends after the look that goes on; a webhook that is being called is broken off. */
  stop(): Promise<void>
}

export interface AlertWatchDeps {
  pool: Pool
  connections: Connections
  /** Name of the worker. */
  worker: string
  dataDir: string
  /** False: it looks after nothing. */
  mayWatch(): boolean
  redact(text: string): string
  onError(error: unknown): void
}

const LOOK_EVERY_MS = 5000
const DISKS_EVERY_MS = 60_000
const HEARTBEAT_SECONDS = 10

export function startAlertWatch(deps: AlertWatchDeps): AlertWatch {
  const { pool, connections, redact, onError } = deps
  const stopping = new AbortController()
  let looking: Promise<void> | undefined
  let calling: Promise<void> | undefined
  let disksSeenAt = Number.NEGATIVE_INFINITY
  const timer = setInterval(look, LOOK_EVERY_MS)
  return { stop }

  function look(): void {
    if (looking !== undefined || !deps.mayWatch()) return
    looking = lookOnce()
      .catch(sayUnlessStopping)
      .finally(() => {
        looking = undefined
      })
  }

  async function lookOnce(): Promise<void> {
    if (performance.now() - disksSeenAt >= DISKS_EVERY_MS) {
      disksSeenAt = performance.now()
      await writeDisks(pool, deps.worker, hostname(), await readDisks())
    }
    await lookAfterAlerts(pool)
    await tellByMail({ pool, connections })
    // Beside: what does not answer holds up no look.
    calling ??= callOut()
      .catch(sayUnlessStopping)
      .finally(() => {
        calling = undefined
      })
  }

  async function callOut(): Promise<void> {
    const url = await takeHeartbeat(pool)
    if (url !== null) {
      // Who set the address may set any; nobody is shown what answers.
      await callUrl({ url, method: 'GET', allowsPrivate: true, timeoutSeconds: HEARTBEAT_SECONDS, signal: stopping.signal }).catch(
        sayUnlessStopping,
      )
    }
    await callWebhooks({ pool, connections, redact, signal: stopping.signal })
  }

  async function readDisks(): Promise<DiskSeen[]> {
    const folders = [deps.dataDir, await serverFolder(pool).catch(() => null)]
    const seen = await Promise.all(folders.map((path) => (path === null ? null : diskOf(path))))
    return seen.filter((disk) => disk !== null)
  }

  function sayUnlessStopping(error: unknown): void {
    if (!stopping.signal.aborted) onError(error)
  }

  async function stop(): Promise<void> {
    clearInterval(timer)
    stopping.abort(new Error('the worker stops'))
    await looking
    await calling
  }
}

/** Null: there is no such folder on this machine. */
async function diskOf(path: string): Promise<DiskSeen | null> {
  try {
    const { bavail, blocks, bsize } = await statfs(path)
    return { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch {
    return null
  }
}

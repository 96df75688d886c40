/** What a job is handed for one attempt. */
import { isAbsolute, resolve } from 'node:path'
import type { Pool } from 'pg'
import type { Config } from '../config.ts'
import { createBookmarks } from '../control-plane/bookmarks.ts'
import { createDatasets } from '../control-plane/datasets.ts'
import { createFileLedger } from '../control-plane/files.ts'
import { createHosts } from '../control-plane/hosts.ts'
import type { LogEntry } from '../control-plane/log.ts'
import { createMails } from '../control-plane/mails.ts'
import type { MailRoutes } from '../control-plane/outbox/routes.ts'
import { createOutbox } from '../control-plane/outbox.ts'
import { createReports } from '../control-plane/reports.ts'
import { type ClaimedRun, type Lease, proveLease, writeProgress } from '../control-plane/runs.ts'
import { createScans } from '../control-plane/scans.ts'
import { inTransaction } from '../control-plane/transaction.ts'
import type { Connections } from '../job/connections.ts'
import type { JobContext, Log } from '../job/define-job.ts'
import type { AttemptContext } from './execute.ts'

export interface ContextDeps {
  pool: Pool
  config: Config
  connections: Connections
  /** Ways out for mail, shared by all runs of the worker. */
  routes: MailRoutes
  /** Takes a line for the table and the file; secrets are masked in there. */
  writeLog(entry: LogEntry): void
  flushLog(): Promise<void>
  /** Takes secrets out of a text. */
  redact(text: string): string
}

/** Progress reaches the ledger at most once in this time. */
const progressEveryMs = 1000

export function createContext(deps: ContextDeps, claimed: ClaimedRun, lease: Lease, signal: AbortSignal): AttemptContext {
  const { pool, config } = deps
  const log = createLog(deps, claimed)
  const progress = createProgress((fraction, note) => writeProgress(pool, lease, fraction, note === null ? null : deps.redact(note)))
  const transaction: JobContext<unknown>['transaction'] = (work) =>
    inTransaction(
      pool,
      async (client) => {
        signal.throwIfAborted()
        const result = await work(client)
        signal.throwIfAborted()
        await proveLease(client, lease)
        return result
      },
      signal,
    )
  const { runId, job, configName } = claimed
  const ledger = { pool, transaction, runId, job, configName, log, signal }
  const run = {
    runId: claimed.runId,
    scheduleName: claimed.scheduleName,
    configName: claimed.configName,
    attempt: claimed.attempt,
    trigger: claimed.trigger,
    scheduledFor: claimed.scheduledFor,
    args: claimed.args,
  }
  return {
    context: {
      run,
      signal,
      log,
      progress: progress.tell,
      transaction,
      stillMine: () => inTransaction(pool, (client) => proveLease(client, lease)),
      bookmarks: createBookmarks({ pool, transaction, runId, job, configName: configName ?? claimed.scheduleName }),
      connections: deps.connections,
      files: createFileLedger(ledger),
      datasets: createDatasets(ledger),
      scans: createScans(ledger),
      hosts: createHosts(pool, runId, (message) => log(message, {}, { level: 'warning' })),
      mails: createMails(ledger),
      outbox: createOutbox({ pool, transaction, routes: deps.routes, connections: deps.connections, run, redact: deps.redact, signal }),
      reports: createReports({ pool, runId, configName: configName ?? '' }),
      folder: (path) => folderOf(config, path),
      programDir: config.programDir ?? null,
      chromium: config.chromium ?? null,
    },
    flushLog: deps.flushLog,
    close: progress.close,
  }
}

/** Absolute path of a folder as a settings row names it. */
export function folderOf(config: Config, path: string): string {
  return isAbsolute(path) ? path : resolve(config.dataDir, path)
}

function createLog({ writeLog }: ContextDeps, claimed: ClaimedRun): Log {
  const begun = performance.now()
  let last = begun
  return (message, data, { level = 'info', step } = {}) => {
    const now = performance.now()
    writeLog({
      loggedAt: new Date(),
      runId: claimed.runId,
      attempt: claimed.attempt,
      scheduleName: claimed.scheduleName,
      level,
      step: step ?? null,
      message,
      data: data ?? null,
      stepSeconds: (now - last) / 1000,
      totalSeconds: (now - begun) / 1000,
    })
    last = now
  }
}

function createProgress(write: (fraction: number | null, note: string | null) => Promise<void>) {
  let latest: { fraction: number | null; note: string | null } | undefined
  let timer: NodeJS.Timeout | undefined
  let isWriting = false
  let writing: Promise<void> = Promise.resolve()

  function send(): void {
    timer = undefined
    if (!latest) return
    const { fraction, note } = latest
    latest = undefined
    isWriting = true
    // Progress is a courtesy: a database that is away for a moment must not end the run.
    writing = write(fraction, note)
      .catch(() => undefined)
      .then(() => {
        isWriting = false
        timer = setTimeout(send, progressEveryMs)
      })
  }

  return {
    tell(fraction: number | null, note?: string): void {
      latest = { fraction: fraction === null ? null : Math.min(1, Math.max(0, fraction)), note: note ?? null }
      if (!isWriting) timer ??= setTimeout(send, 0)
    },
    async close(): Promise<void> {
      latest = undefined
      await writing
      clearTimeout(timer)
    },
  }
}

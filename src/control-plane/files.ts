/** The file ledger that jobs see as `ctx.files`. The laws of one run per file and of bytes loaded once are in files/. */
import { explainError } from '../db/explain-error.ts'
import type { Filled } from '../db/filled.ts'
import type { FileRow } from '../db/row-types.ts'
import type { ArrivedFile, FileLedger, Keeping, TakenFile } from '../job/ledgers.ts'
import type { Outcome } from '../job/outcome.ts'
import { retryQuery } from './files/claim.ts'
import { endStored, writeCsvPaths, writeHash } from './files/end-file.ts'
import type { LedgerDeps } from './files/ledger-deps.ts'
import { finishLeftOvers } from './files/left-overs.ts'
import { findOrigin } from './files/origin.ts'
import { runOutcome } from './files/outcome.ts'
import { createTaker } from './files/take.ts'

/** The ledger of one run. Keeps in mind what went wrong, until `outcome` says it. */
export function createFileLedger(deps: LedgerDeps): FileLedger {
  const { pool, transaction, runId, log } = deps
  /** Errors of files that stay where they are, by path. */
  const postponed = new Map<string, unknown>()
  /** Errors of what earlier runs left and cannot be put away now either. */
  const stuck: unknown[] = []
  let unfinished = new Set<number>()
  let lastFailure: Error | undefined
  const take = createTaker(deps, {
    postpone(file, error) {
      leave(file, error)
      postponed.set(file.path, error)
    },
    forget: ({ path }) => void postponed.delete(path),
    fail: (error) => {
      lastFailure = error
    },
  })
  return { finishEarlier, toRetry, metBy, take, origin: (file) => findOrigin(pool, file), keepCsv, store, outcome }

  async function finishEarlier(keepingOf: (path: string) => Keeping): Promise<void> {
    unfinished = await finishLeftOvers(deps, keepingOf, (file, error) => {
      leave(file, error)
      stuck.push(error)
    })
  }

  async function toRetry(): Promise<ArrivedFile[]> {
    const { rows } = await pool.query<RetryRow>(retryQuery, [runId, deps.job, deps.configName])
    return rows
      .filter((row) => !unfinished.has(row.file_id))
      .map((row) => ({
        fileId: row.file_id,
        path: row.path,
        name: row.file_name,
        sizeBytes: row.size_bytes,
        modifiedAt: row.modified_at,
        ...(row.label === null || row.dataset_date === null ? {} : { former: { label: row.label, datasetDate: row.dataset_date } }),
      }))
  }

  async function metBy(path: string): Promise<'this run' | 'another run' | null> {
    const { rows } = await pool.query<{ met_by: 'this run' | 'another run' | null }>(
      `select case when bool_or(run_id = $2) then 'this run' when count(*) > 0 then 'another run' end as met_by
       from dba.file where path = $1 or kept_path = $1`,
      [path, runId],
    )
    return rows[0]?.met_by ?? null
  }

  async function keepCsv(file: TakenFile, paths: string[]): Promise<void> {
    await transaction((client) => writeCsvPaths(client, file.fileId, paths))
  }

  async function store(file: TakenFile): Promise<void> {
    const hash = await file.hash
    await transaction(async (client) => {
      await writeHash(client, file.fileId, hash)
      await endStored(client, file.fileId, file.place)
    })
  }

  async function outcome(whenNone: string): Promise<Outcome> {
    const result = await runOutcome(pool, runId, whenNone, lastFailure)
    for (const error of [...postponed.values(), ...stuck]) throw error
    return result
  }

  function leave({ name }: { name: string }, error: unknown): void {
    const said = explainError(error)
    log(`${said.message}; file "${name}" is left for another attempt`, { ...said }, { step: name, level: 'warning' })
  }
}

type RetryRow = Pick<FileRow, 'file_id' | 'path' | 'file_name' | 'size_bytes'> &
  Filled<FileRow, 'modified_at'> & { label: string | null; dataset_date: string | null }

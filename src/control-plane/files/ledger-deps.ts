import type { Pool } from 'pg'
import type { JobContext, Log } from '../../job/define-job.ts'

/** What the ledgers of one run stand on. */
export interface LedgerDeps {
  pool: Pool
  /** The run's fenced transaction. */
  transaction: JobContext<unknown>['transaction']
  runId: string
  job: string
  configName: string | null
  log: Log
  signal: AbortSignal
}

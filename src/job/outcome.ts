/** What a run moved, for the columns of dba.run. A field left out stays null. */
export interface Outcome {
  /** The outcome in one sentence. */
  note?: string
  rowsRead?: number
  rowsWritten?: number
  rowsRejected?: number
  bytesRead?: number
  files?: number
  /** Further facts, stored as dba.run.result. */
  result?: Record<string, unknown>
}

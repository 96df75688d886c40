/** The ledgers that loading jobs keep: files and datasets. Implemented by src/control-plane, handed to jobs as `ctx.files` and `ctx.datasets`. */
import type { ClientBase } from 'pg'
import type { Outcome } from './outcome.ts'

/** A file that waits to be loaded. */
export interface ArrivedFile {
  /** Absolute path where it was found. */
  path: string
  /** Its name, without folder. */
  name: string
  sizeBytes: number
  modifiedAt: Date
  /** Its row in dba.file, where a person asked for it again. */
  fileId?: number
}

/** A file that belongs to this run. */
export interface TakenFile extends ArrivedFile {
  fileId: number
  /** Where its bytes are now: where it was found, or where they have been kept since. */
  bytesAt: string
  sha256: string
  /** Where they will be kept once it is loaded. */
  place: string
}

/** Where files go when they have been dealt with; absolute paths. */
export interface Keeping {
  archiveFolder: string
  failedFolder: string
  /** Goes when its file has been dealt with. Default: there is none. */
  doneFile?: string
}

/** The file ledger, dba.file, for the settings of this run. */
export interface FileLedger {
  /** Files whose kept bytes a person wants loaded again, oldest first. */
  toRetry(): Promise<ArrivedFile[]>
  /** Whether a file of this path was ever dealt with, or is at this moment. */
  hasMet(path: string): Promise<boolean>
  /**
   * Makes a file this run's own, has it loaded, and puts it away.
   *
   * - Only one run has a file at a time; one that another live run has is passed over. What a dead run had is taken over.
   * - The same bytes are loaded once per config: a later copy becomes a `duplicate` that names the earlier file, and is archived.
   * - A file that was loaded, but not yet put away when its run died, is put away now and not loaded again.
   * - When `load` throws something that only another file can mend, the file goes to the failed folder with its reason, and nothing is thrown:
   *   `outcome` does that when the other files are loaded. So it is with errors that another attempt may mend; then the file stays where it is.
   *
   * @param load reads the file and brings it into a dataset by `ctx.datasets.load`.
   * @throws what a retry or another file does not help against: a target that is not ours, a lost connection, the signal's reason.
   */
  take(file: ArrivedFile, keeping: Keeping, load: (file: TakenFile) => Promise<unknown>): Promise<void>
  /**
   * What became of this run's files, those of its earlier attempts included.
   *
   * @param whenNone the note of a run that had no file to deal with.
   * @throws PermanentError `files_failed`, with each file and its reason in the detail; where the run had that file alone, the error itself
   */
  outcome(whenNone: string): Promise<Outcome>
}

/** What a dataset is; see dba.dataset. */
export interface DatasetFacts {
  label: string
  /** As `yyyy-mm-dd`. */
  datasetDate: string
  datasource: string
  datasettype: string
  /** As `schema.table`. */
  targetTable: string
  /** The rows of the former dataset of the same source, type, label and date leave. */
  replacesFormer: boolean
}

/** A dataset being loaded. */
export interface NewDataset {
  /** Number that the rows carry. */
  datasetId: number
  /** Table and column that a target's column for it refers to. */
  references: { schema: string; table: string; column: string }
}

export interface LoadedRows {
  /** `empty`: there was nothing to load; such a dataset supersedes nothing. */
  state: 'active' | 'empty'
  /** In words, for an empty one. */
  reason?: string
  rowsRead: number
  rowsWritten: number
  /** The target's column that carries the dataset's number; null when nothing was written. */
  datasetColumn: string | null
}

/** The datasets, dba.dataset. */
export interface Datasets {
  /**
   * Registers a dataset as `new`, lets `work` write its rows, and makes it the one in force: rows, state of dataset and file, and the end of
   * former datasets commit in one transaction or not at all. Former datasets end only by a dataset with rows: the one of the same file, when it
   * is loaded again, and with `replacesFormer` that of the same source, type, label and date.
   * When it throws, a dataset of state `failed` or none stays, and nothing of its rows.
   */
  load(file: TakenFile, facts: DatasetFacts, work: (client: ClientBase, dataset: NewDataset) => Promise<LoadedRows>): Promise<LoadedRows>
}

/** The ledgers that loading jobs keep: files and datasets. Implemented by src/control-plane, handed to jobs as `ctx.files` and `ctx.datasets`. */
import type { FileHash } from '../../systemscripts/hash-file.ts'
import type { Check } from '../../systemscripts/table-loader/checks.ts'
import type { ColumnSetting } from '../../systemscripts/table-loader/column-settings.ts'
import type { FixedRow, LoadHost, LoadMode, TablesLoaded } from '../../systemscripts/table-loader/load.ts'
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
  /** Of the dataset that it became then, or was to become. */
  former?: { label: string; datasetDate: string }
}

/** A file that can be read. */
export interface ReadableFile extends ArrivedFile {
  /** Where its bytes are now: where it was found, or where they have been kept since. */
  bytesAt: string
}

/** What a file came by; null: not by that. */
export interface Origin {
  mail: { subject: string | null; sender: string | null; sentAt: Date } | null
  /** `values` were read from it, of several rows the first, by column. */
  page: { address: string; id: string | null; fetchedAt: Date; values: Record<string, string | null> } | null
}

/** A file that belongs to this run. */
export interface TakenFile extends ReadableFile {
  fileId: number
  /** Of its bytes: known at once, or, of a large file whose size was not met before, when they have been read beside the load. */
  hash: Promise<FileHash>
  /** By which it is known again, as it was when it was taken (systemscripts/file-face.ts): a load commits only when it is still so. */
  face: string
  /** Where they will be kept once it is loaded. */
  place: string
  /** CSVs that it became before (dba.file.csv_paths). */
  csvPaths: string[]
  /** As in Keeping. */
  loadsSameBytes: boolean
}

/** Where files go when they have been dealt with; absolute paths. */
export interface Keeping {
  archiveFolder: string
  failedFolder: string
  /** Goes when its file has been dealt with. Default: there is none. */
  doneFile?: string
  /** Bytes that were loaded before are loaded again when they come in another file: of rows that Rota wrote itself. Default false. */
  loadsSameBytes?: boolean
}

/** The file ledger, dba.file, for the settings of this run. */
export interface FileLedger {
  /**
   * Puts away what earlier runs of these settings dealt with and left lying, since they died or their archive was full, and forgets what they had
   * claimed and is gone. What cannot be put away now fails the run at its end.
   */
  finishEarlier(keepingOf: (path: string) => Keeping): Promise<void>
  /** Files whose kept bytes a person wants loaded again, oldest first. */
  toRetry(): Promise<ArrivedFile[]>
  /** Who dealt with a file of this path, or does so at this moment; null: nobody ever did. */
  metBy(path: string): Promise<'this run' | 'another run' | null>
  /**
   * Makes a file this run's own, has it loaded, and puts it away.
   *
   * - Only one run has a file at a time; one that another live run has is passed over. What a dead run had is taken over.
   * - The same bytes are loaded once per config, unless `keeping` says otherwise: a later copy becomes a `duplicate` that names the earlier file, and is archived. That is known before
   *   the load, or, where no file of that size was met, decided at its end: then nothing of it stays.
   * - A file that was loaded, but not yet put away when its run died, is not loaded again; `finishEarlier` puts it away.
   * - A file that changes while it is loaded is not loaded, and taken anew.
   * - When `load` throws something that only another file can mend, the file goes to the failed folder with its reason, and nothing is thrown:
   *   `outcome` does that when the other files are loaded. So it is with errors that another attempt may mend; then the file stays where it is.
   *
   * @param load reads the file and brings it into a dataset by `ctx.datasets.load`.
   * @throws what a retry or another file does not help against: a target that is not ours, a lost connection, the signal's reason.
   */
  take(file: ArrivedFile, keeping: Keeping, load: (file: TakenFile) => Promise<unknown>): Promise<void>
  /** The mail or page that it was saved from, however early it was taken: that is written down before a file gets its name. */
  origin(file: ReadableFile | TakenFile): Promise<Origin>
  /** Writes down which CSVs a file becomes, before they appear beside the place where it will be kept; they go when it is not loaded. */
  keepCsv(file: TakenFile, paths: string[]): Promise<void>
  /** Ends a file that is kept as CSV only: it was `stored`, and no dataset stands for it. To be called within `take`. */
  store(file: TakenFile): Promise<void>
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
  /** `replace_dataset`: the rows of the former dataset of the same source, type, label and date leave; `replace`: those of all. */
  mode: LoadMode
  keyColumns: string[]
}

/** What people wrote about columns and rows: dba.importcolumn and dba.importcheck. */
export interface LoadRules {
  columns: ColumnSetting[]
  checks: Check[]
}

/** Rows of a loaded file that people corrected since: dba.reject with state `retry`. */
export interface FixedRows {
  fileId: number
  fileName: string
  /** Where the file's bytes are kept. */
  keptPath: string
  datasetId: number
  label: string
  /** As `yyyy-mm-dd`. */
  datasetDate: string
  rows: FixedRow[]
}

/** A dry run that somebody asked for. */
export interface DryRun {
  /** Row of dba.dryrun. Null: it is made. */
  dryRunId: number | null
  /** As it was asked for. */
  file: string
}

/** Brings rows into a table by what it is handed; what `loadTables` of systemscripts/table-loader.ts does. */
export type LoadWork = (host: LoadHost) => Promise<TablesLoaded>

/** The datasets, dba.dataset, and the rows that were refused, dba.reject. */
export interface Datasets {
  /**
   * Registers a dataset as `new`, lets `work` write its rows, and makes it the one in force: rows, rejects, state of dataset and file, and the
   * end of former datasets commit in one transaction or not at all. Former datasets end only by a dataset with rows that is in force: the one
   * of the same file, when it is loaded again, and those that the mode replaces. A `quarantined` dataset ends none; a file that is `waiting`
   * leaves no dataset.
   *
   * When it throws, a dataset of state `failed` or none stays, and nothing of its rows; the rows that were left out stand in dba.reject when
   * they were why.
   */
  load(file: TakenFile, facts: DatasetFacts, work: LoadWork): Promise<TablesLoaded>
  /** Files of these settings whose rows were corrected after they had been loaded, the oldest first. */
  fixedRows(): Promise<FixedRows[]>
  /**
   * Lets corrected rows join their dataset: rows and states commit in one transaction, each once. A row that is refused again is `open` again.
   * Where all of them cannot be loaded, they are open again and say why, and nothing is thrown.
   *
   * @returns null when nothing joined: another run was faster, or the dataset is no longer in force
   * @throws what another attempt may mend
   */
  join(fixed: FixedRows, work: LoadWork): Promise<TablesLoaded | null>
  /**
   * Carries `work` out and takes all of it back; what would have become of the file stands in dba.dryrun and dba.dryrunrow, also when it would
   * have failed.
   *
   * @returns its dryrun_id
   */
  dryRun(request: DryRun, facts: DatasetFacts, work: LoadWork): Promise<number>
}

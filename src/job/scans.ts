/** The ledger of a scan over web pages, handed to jobs as `ctx.scans`: dba.visit, dba.page, dba.pagefile, dba.scrapecount. */

/** A page that a scan shall ask for. */
export interface Link {
  url: string
  /** The id in the address, or in that of the page that led here; null: there is none. */
  item: string | null
  /** Links away from the start. */
  depth: number
  /** Which page of a list that goes over several, from 1. */
  part: number
}

/** A page that is next in a scan. */
export interface Visit extends Link {
  position: number
  /** By which the server tells whether the page is still the one whose bytes are kept; null: it has to be fetched whole. */
  kept: { etag: string | null; lastModified: string | null } | null
}

/** A file that was downloaded. */
export interface SavedFile extends FileToSave {
  pagefileId: number
}

/** A file that is here whole, before it gets its name. */
export interface FileToSave {
  url: string
  fileName: string
  savedPath: string
  sizeBytes: number
  sha256: string
  etag: string | null
  lastModified: string | null
}

/** The bytes of a page as they came. */
export interface PageBody {
  bytes: Buffer
  /** Their Content-Type. */
  type: string | null
  status: number
}

/** What came of one page. */
export interface VisitEnd {
  position: number
  /** `skipped`: it was not asked for: robots.txt, or an address inside. */
  state: 'done' | 'failed' | 'skipped'
  statusCode: number | null
  stateWord: string | null
  title: string | null
  /** Whether there is such a page; null: that is not known. */
  isThere: boolean | null
  /** Label of the dataset that its rows belong to; null: it says nothing of any. */
  label: string | null
  rows: Record<string, string | null>[]
  files: SavedFile[]
  counts: PageCounts
  etag: string | null
  lastModified: string | null
  sha256: string | null
  /** Hash of what was read. */
  fingerprint: string | null
  /** To be kept. */
  body: PageBody | null
  error: { code: string; message: string; mayPass: boolean } | null
  /** Links that lead on. */
  found: Link[]
}

/** What was found in one page. */
export interface PageCounts {
  /** Files that it led to, unchanged ones included. */
  files: number
  /** Of its rows those that have a value, by column. */
  fields: Record<string, number>
  /** How often each of the other selectors matched, by name. */
  selectors: Record<string, number>
}

/** How far a scan has come. */
export interface ScanTally {
  waiting: number
  done: number
  failed: number
  /** Of them those that another try may mend. */
  mayPass: number
  skipped: number
  /** Ids that were given out, the first pages of their lists alone. */
  ids: number
  /** The first of them. */
  firstId: string | null
  /** The largest id that was found to be there; null: none yet. */
  highestThere: string | null
}

/** How often something was found, and of how many. */
export interface Count {
  /** `pages`, `rows`, `files`, `files saved`, `pages failed`, `pages skipped`, `state:<word>`, `field:<column>`, `selector:<name>`. */
  subject: string
  /** Of a field the rows. */
  pages: number
  matched: number
}

export interface Scan {
  /** The run that began it: this one, or the one it repeats. */
  scanId: string
  /** When its first page was asked for; now, if none was. */
  begunAt: Date
  /** What this run counted when it ended the scan, in an attempt that died before it could say so; null: it goes on. */
  ended: Count[] | null
  tally(): Promise<ScanTally>
  counts(): Promise<Count[]>
  firstFailure(): Promise<{ url: string; code: string; message: string } | null>
  /** Pages that failed wait again. */
  retryFailed(): Promise<void>
  /** Pages to ask for; those that the scan knows are left out. They stand at the end of the line, in this order. */
  enqueue(links: Link[]): Promise<void>
  /** The next pages behind a position, at most `limit`. */
  next(after: number, limit: number): Promise<Visit[]>
  /** What came of some pages: visits, inventory, files and links that lead on commit together. */
  record(ends: VisitEnd[]): Promise<void>
  /**
   * Ties a file to its page, before it gets its name: an import may take it the moment it has one.
   * @param values what was read from the page, by column
   * @returns its pagefile_id
   */
  planFile(page: Link, file: FileToSave, values: Record<string, string | null>): Promise<number>
  /** What was last downloaded from an address into that folder; null: nothing. */
  lastFile(url: string, folder: string): Promise<(Pick<SavedFile, 'sha256' | 'etag' | 'lastModified'> & { isOfThisRun: boolean }) | null>
  /** The bytes of a page as it is, where they are kept. */
  keptBody(url: string): Promise<PageBody | null>
  /**
   * Labels that are to be loaded, in the order of the pages.
   * @param choice `isComplete`: only those none of whose items has a page that failed or waits; `withEmpty`: also those of pages that are there
   * and gave no row
   */
  labels(choice: { isComplete: boolean; withEmpty: boolean }): Promise<{ label: string; position: number }[]>
  /** The rows of a label in the order of the pages, in batches. */
  rowsOf(label: string): AsyncIterable<Record<string, string | null>[]>
  /** The rows of a label have been dealt with and go. */
  loaded(label: string): Promise<void>
  /** What the last good runs of these settings had: medians of up to five, for what at least three of them counted. */
  usual(): Promise<Map<string, Count>>
  /** Writes the counts down beside what is usual, and ends the scan: its visits go, and so do those of ended runs before it. */
  end(counts: Count[], usual: Map<string, Count>, isGood: boolean): Promise<void>
}

/** A page whose bytes are kept. */
export interface KeptPage extends PageBody {
  url: string
  item: string | null
  /** Rows that were found at the last visit. */
  rowsBefore: number | null
}

export interface Scans {
  /** The source folder of a row of dba.importconfig, as it is written there. @throws PermanentError config_not_found */
  importFolder(configName: string): Promise<string>
  /** Begins a scan, or goes on with that of an earlier attempt, or of the run that this one repeats with the same settings. */
  open(): Promise<Scan>
  /** The largest id whose page was ever there; null: none. */
  highestEver(): Promise<string | null>
  /** Pages whose bytes are kept, the newest first: for reading them again. */
  keptPages(): AsyncIterable<KeptPage>
  /** Forgets bytes that are older than so many days. @returns how many pages' */
  forgetBodies(days: number): Promise<number>
}

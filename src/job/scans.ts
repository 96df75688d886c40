/** The ledger of a scan over web pages, handed to jobs as `ctx.scans`: dba.visit, dba.page, dba.pagefile, dba.scrapecount. */

/** A page that a scan shall ask for. */
export interface Link {
  url: string
  /** The id in the address; null: it came of a link. */
  item: string | null
  /** Links away from the start. */
  depth: number
  /** Which page of a list that goes over several, from 1. */
  part: number
}

/** A page that is next in a scan. */
export interface Visit extends Link {
  position: number
  /** What is kept of its last visit, where its bytes are; null: it has to be fetched whole. */
  kept: { etag: string | null; lastModified: string | null } | null
}

/** A file that was downloaded. */
export interface SavedFile {
  url: string
  fileName: string
  savedPath: string
  sizeBytes: number
  sha256: string
}

/** What came of one page. */
export interface VisitEnd {
  position: number
  /** `skipped`: it was not asked for: robots.txt, or outside the limits of the settings. */
  state: 'done' | 'failed' | 'skipped'
  statusCode: number | null
  stateWord: string | null
  title: string | null
  /** Whether there is such a page; null: that is not known. */
  isThere: boolean | null
  /** Label of the dataset that its rows belong to. */
  label: string
  rows: Record<string, string | null>[]
  files: SavedFile[]
  /** How often each selector matched. */
  counts: Record<string, number>
  etag: string | null
  lastModified: string | null
  sha256: string | null
  /** To be kept: its bytes as they came, and their Content-Type. */
  body: { bytes: Buffer; type: string | null } | null
  error: { code: string; message: string } | null
  /** Links that lead on. */
  found: Link[]
}

/** How far a scan has come. */
export interface ScanTally {
  waiting: number
  done: number
  failed: number
  skipped: number
  /** Ids that were given out, the first pages of their lists alone. */
  ids: number
  /** The largest id that was found to be there; null: none yet. */
  highestThere: string | null
  rows: number
}

/** How often something was found, and of how many. */
export interface Count {
  subject: string
  pages: number
  matched: number
}

export interface Scan {
  /** The run that began it: this one, or the one it repeats. */
  scanId: string
  tally(): Promise<ScanTally>
  /** How often each selector matched in all pages so far; of fields `pages` counts the rows. */
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
  /** What was last downloaded from an address; null: nothing. */
  lastFile(url: string): Promise<{ sha256: string; savedAt: Date } | null>
  /** Bytes that were kept of a page at an earlier visit. */
  keptBody(url: string): Promise<{ bytes: Buffer; type: string | null } | null>
  /** Labels of its rows, in the order of the pages. */
  labels(): Promise<string[]>
  /** The rows of a label have been loaded and go. */
  loaded(label: string): Promise<void>
  /** The rows of a label in the order of the pages, in batches. */
  rowsOf(label: string): AsyncIterable<Record<string, string | null>[]>
  /** What the last good runs of these settings had on average: medians, for what at least three of them counted. */
  usual(): Promise<Map<string, Count>>
  /** Writes the counts down; a good scan ends and its visits go. */
  end(counts: Count[], isGood: boolean): Promise<void>
}

export interface Scans {
  /** The source folder of a row of dba.importconfig, as it is written there. @throws PermanentError config_not_found */
  importFolder(configName: string): Promise<string>
  /** Begins a scan, or goes on with that of an earlier attempt, or of the run that this one repeats. */
  open(): Promise<Scan>
  /** Pages whose bytes are kept, the newest first: for reading them again. */
  keptPages(): AsyncIterable<{ url: string; item: string | null; statusCode: number; bytes: Buffer; type: string | null }>
}

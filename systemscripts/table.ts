/** What a file turned out to be when its bytes were read. */
export type TableKind = 'csv' | 'xlsx' | 'xls' | 'html'

/** One record: `line` is the file's line (CSV) or row (sheet, HTML table) where it starts, counted from 1. */
export interface TableRow {
  line: number
  values: (string | null)[]
}

/**
 * The shape that every reader gives: names first, then the rows as a stream.
 *
 * Every value is text. Null is an empty cell, or in a CSV an unquoted empty field; '' is a quoted empty field.
 * `values` always has exactly as many entries as `headers`.
 * `headers` are the texts as shown, blank and duplicate ones included: column-names.ts makes column names of them.
 * `rows` comes in batches of at most 1,000 rows, in the file's order, and can be walked once. A broken file throws from there too.
 * Walking to the end, or leaving the loop early, frees the file; whoever does not walk the rows calls `close`, which may be called twice.
 */
export interface Table {
  kind: TableKind
  /** Name of the sheet; null where the file has none. */
  sheet: string | null
  headers: string[]
  headerLine: number
  rows: AsyncIterable<TableRow[]>
  close(): Promise<void>
}

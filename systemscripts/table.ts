import type { CopyFormat, CopyPiece, CopyPlan } from './copy-plan.ts'
import type { GridKind, Typed } from './grid.ts'

/** What a file turned out to be when its bytes were read. */
export type TableKind = GridKind

/** One record: `line` is the file's line (CSV) or row (sheet, HTML table) where it starts, counted from 1. */
export interface TableRow {
  line: number
  values: (string | null)[]
  /** By place among the values: a number, a date or a truth value of a workbook. Missing where all are texts. */
  typed?: Typed
}

/** What is known of a table before its rows are walked. */
export interface TableFacts {
  kind: TableKind
  /** Name of the sheet, or of the member of an archive; null where there is none. */
  sheet: string | null
  /** The texts as shown, blank and duplicate ones included: column-names.ts makes column names of them. */
  headers: string[]
  /** The last of its header lines; 0 where the file states names by itself. */
  headerLine: number
  /** The first rows below the header, at most 200: for proposals of types, for previews. */
  sample: TableRow[]
  /** Formulas without a value, as far as the rows have been walked. Missing: none. */
  emptyFormulas?: EmptyFormulas[]
}

/** The formulas of one column that hold no value, since whoever wrote the workbook did not calculate; their cells are null. */
export interface EmptyFormulas {
  /** Null: the column has no name. */
  header: string | null
  count: number
  /** The first of them: `C2`. */
  first: string
}

/**
 * The shape that every reader gives: names first, then the rows as a stream, either as texts or as bytes for COPY.
 *
 * Every value is text. Null is an empty cell, or in a CSV an unquoted empty field; '' is a quoted empty field.
 * `values` always has exactly as many entries as `headers`.
 * The rows can be walked once, by `rows` or by `copy`. A broken file throws from there too.
 * Walking to the end, or leaving the loop early, is enough; whoever does not walk the rows calls `close`, which may be called twice.
 */
export interface Table extends TableFacts {
  /** In the file's order, in batches of at most 1,000 rows. A row with a value where no column is throws `row_has_too_many_fields`. */
  rows: AsyncIterable<TableRow[]>
  /**
   * The same table from its beginning, with every column in which something stands in any row: those that have no name are called by their place,
   * `column_5`. All rows are looked through first. This table is let go.
   */
  withAllColumns(): Promise<Table>
  /** The same rows converted and encoded by the reading thread as the plan says. */
  copy(plan: CopyPlan): Promise<TableCopy>
  close(): Promise<void>
}

/** Pieces of 64 to 256 KB, each of whole rows; whoever takes them slowly is not run ahead of. An empty table gives no piece. */
export interface TableCopy {
  /** How the bytes are written, for the COPY statement. */
  format: CopyFormat
  pieces: AsyncIterable<CopyPiece>
}

import type { CellSink } from './cell-sink.ts'

/** One row in which something stands. */
export interface GridRow {
  /** The file's line, or the sheet's row, where it starts; from 1. */
  line: number
  /** From column A on; may have holes and may end early. Null: an empty cell; '': a quoted empty field of a CSV. */
  cells: (string | null | undefined)[]
  /** The same cells as a person sees them, where that differs: `Jan-24` for 2024-01-01. Given for rows that may be a header. */
  shown?: (string | null | undefined)[]
  /** Hidden in the workbook, by hand or by a filter. */
  isHidden?: boolean
  /** By column, whether the cell is a number, a date or a truth value in the workbook, and its text the plain form of that. Missing: all are texts. */
  typed?: Typed
  /** What the same cells are; given where it was asked for. */
  types?: (CellType | undefined)[]
}

/**
 * A sheet, a table of a page, a CSV or a list of records as texts, before anybody knows where its table begins.
 * Walked once, from the top, in batches of at most 1,000 rows; leaving the walk early frees what it stands on.
 */
export interface Grid {
  kind: GridKind
  /** Name of the sheet, or of the member of an archive; null where there is none. */
  sheet: string | null
  /** Column names that the file states by itself, as records do; null: they are to be looked for in the rows. */
  names: string[] | null
  rows: Iterable<GridRow[]> | AsyncIterable<GridRow[]>
  /**
   * Rows that `rows` has not given yet go to the sink instead; `rows` is walked on, and gives an empty batch whenever the sink is full, and at its
   * end. Missing where cells are texts from the start.
   */
  divert?: (sink: CellSink) => void
  /**
   * Where formulas stand that hold no value: the reader adds to it as rows are walked, and whoever walks them empties it. Missing where there are
   * none.
   */
  emptyFormulas?: CellPlace[]
}

export interface CellPlace {
  /** From 1. */
  line: number
  /** From 0. */
  column: number
}

export type GridKind = 'csv' | 'xlsx' | 'xlsb' | 'xls' | 'ods' | 'html' | 'xml' | 'json'

export type CellType = 'text' | 'number' | 'boolean' | 'date' | 'time' | 'duration' | 'error'

/** May have holes and may end early: what is not said to be typed is a text. */
export type Typed = (boolean | undefined)[]

/** A cell with what is known of it. */
export interface TypedCell {
  sheet: string | null
  /** From 1. */
  row: number
  /** From 1: A is 1. */
  column: number
  type: CellType
  /** The number of a number, else its text: dates as `yyyy-mm-dd` or `yyyy-mm-dd hh:mm:ss`. */
  value: string | number | boolean
  /** As it is loaded. */
  text: string
}

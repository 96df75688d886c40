/**
 * What the reading thread is to make of a table's rows: bytes for COPY (or for a CSV file), and the rows that do not fit. Plain data, since it
 * crosses to the thread.
 */
export interface CopyPlan {
  /** In the order of the columns that COPY is given. */
  columns: OutputColumn[]
  output: 'copy' | 'csv'
  /** Thrown as `empty_mark` when a value of the first column matches (a regular expression's source); null: nothing is empty. */
  emptyWhen: string | null
  /** So many refused rows are told one by one; of the others only how many. */
  toldRejects: number
  /** Rows at these lines of the sheet take these values, by header, in place of what the file has: the corrections of a person. */
  corrections: { sheet: string | null; line: number; values: Record<string, string | null> }[]
}

export type OutputColumn =
  /** Value of the file; `rule` null: as it came. */
  | { from: 'file'; index: number; rule: ColumnRule | null }
  | { from: 'constant'; value: string | null }
  /** The file's line of the row. */
  | { from: 'line' }
  /** These values as one JSON object, empty ones left out; null when all are. */
  | { from: 'extra'; values: { index: number; name: string }[] }

/** What a value must be and how it is read: a row of dba.importcolumn, the type completed from the target. */
export interface ColumnRule {
  /** Column of the target, for messages. */
  column: string
  /** As Postgres's format_type writes it: `integer`, `numeric(12,2)`, `timestamp with time zone`. */
  type: string
  format: string | null
  isRequired: boolean
  defaultValue: string | null
  /** Texts that mean null, compared after trimming. */
  nullTokens: string[]
  /** As dba.importcolumn.transform has it. */
  transform: string | null
  /** Zone of times that name none. */
  sourceZone: string
}

/** A value that does not fit its column. */
export interface Refusal {
  /** Stable word: `not_a_number`, `required` … */
  rule: string
  message: string
}

/** A row that was left out. */
export interface RowReject {
  sheet: string | null
  line: number
  /** Column of the target; null when the row as a whole does not fit. */
  column: string | null
  value: string | null
  /** The value came from a cell that is a number, a date or a truth value. Default false. */
  isTyped?: boolean
  rule: string
  message: string
  /** The row as it came, by header. */
  raw: Record<string, string | null>
}

/** A part of the rows, ready to be sent. */
export interface CopyPiece {
  bytes: Uint8Array
  /** Rows in `bytes`. */
  rowsWritten: number
  /** Rows read for it, refused ones included. */
  rowsRead: number
  rejects: RowReject[]
  /** Refused rows in which something stands where the table has no column; `Table.withAllColumns` has one for each. */
  rowsTooWide: number
}

/** How the bytes of a plan with output `copy` are written: options of COPY … FROM STDIN. */
export type CopyFormat = { format: 'text' } | { format: 'csv'; delimiter: string; quote: string }

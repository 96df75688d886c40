/**
 * What a query answered, as every document takes it: CSV, XLSX, JSON, PDF, tables for a mail, values, charts. Documents know rows and nothing of
 * where they come from, so none of these files imports anything that does.
 */

/** A value in Postgres's own text output, with datestyle ISO and intervalstyle postgres; null is null. */
export type Cell = string | null

export type Row = readonly Cell[]

export interface Column {
  name: string
  /** Of the column's type, as Postgres describes a result; a domain has that of its base type. Types of no number here are text. */
  typeOid: number
}

export interface RowSource {
  columns: readonly Column[]
  /** Batches in the order of the query; every row has a cell for each column. Can be walked once. Its errors pass through. */
  rows: AsyncIterable<readonly Row[]>
  /** Zone of the session, in which timestamptz is written: `Europe/Warsaw`. Default `UTC`. */
  timeZone?: string
  /**
   * Asked when `rows` has ended: how many rows the query has beyond those that were given; null: there are more, nobody counted them. Default: none.
   */
  withheld?: () => number | null
}

/** Rows shown of those that the query has. `all` is null when there are more than `given` and nobody counted them. */
export interface RowCount {
  shown: number
  given: number
  all: number | null
}

/** The count when `rows` has ended. */
export function rowCount(source: RowSource, shown: number, given: number): RowCount {
  const withheld = source.withheld === undefined ? 0 : source.withheld()
  return { shown, given, all: withheld === null ? null : given + withheld }
}

/** `first 500 of 48,211 rows`, `first 500 of more than 10,000 rows`; null when all are shown. */
export function cutSentence({ shown, given, all }: RowCount): string | null {
  if (all === shown) return null
  const total = all === null ? `more than ${grouped(given)}` : grouped(all)
  return `first ${grouped(shown)} of ${total} ${all === 1 ? 'row' : 'rows'}`
}

/** `48,211` */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** The rows one by one, for what is bounded by itself; the walk may be left early. */
export async function* eachRow(source: RowSource): AsyncGenerator<Row> {
  for await (const batch of source.rows) yield* batch
}

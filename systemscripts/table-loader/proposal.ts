/** A change of the target that people decide about. */
export interface Proposal {
  kind: 'create_table' | 'add_column' | 'widen_column'
  /** Null for a table. */
  columnName: string | null
  /** The header it comes from; null for a table. */
  sourceName: string | null
  /** Statements, each with its semicolon. */
  ddl: string
  reason: string
  /** How the values have to be read for those types, where that is not plain. */
  readings: { columnName: string; sourceName: string; type: string; format: string | null; nullTokens: string[] }[]
}

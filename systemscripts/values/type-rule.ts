/** What of a ColumnRule decides on the type. */
export interface TypeRule {
  column: string
  format: string | null
  sourceZone: string
  /** Numbers and dates may come from cells that are numbers and dates, and are then written plainly whatever the format says. */
  hasTypedCells: boolean
}

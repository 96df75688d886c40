/**
 * Takes the filled cells of a sheet as bytes, row by row, so that values that nobody converts need not become strings. Columns count from 0.
 * Of two values for one cell the later counts.
 */
export interface CellSink {
  /** Whether what was taken had better be sent off before the next row. */
  isFull(): boolean
  /** The cells that are put from now on are those of this row. */
  startRow(line: number, isHidden: boolean): void
  /** UTF-8, at least one byte; it is copied. `isTyped`: a number, a date or a truth value, in its plain form; else a text. */
  putBytes(column: number, bytes: Uint8Array, from: number, to: number, isTyped: boolean): void
  /** Not empty. */
  putText(column: number, text: string, isTyped: boolean): void
  endRow(): void
}

import type { Converted } from './refused-value.ts'

/** What of a ColumnRule decides on the type. */
export interface TypeRule {
  column: string
  format: string | null
  sourceZone: string
  /** Of texts nobody knows whether they were numbers and dates in the workbook, which are written plainly whatever the format says. */
  isOriginUnknown: boolean
}

/** `isTyped`: the cell was a number, a date or a truth value in the workbook, and its text is the plain form of that. */
export type TypeConversion = (text: string, isTyped: boolean) => Converted

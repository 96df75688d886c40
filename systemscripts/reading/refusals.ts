import { PermanentError } from '../errors.ts'
import type { Stray } from './table-shape.ts'

export function rowHasTooManyFields(fileName: string, line: number, { column, value }: Stray, width: number): PermanentError {
  return new PermanentError('row_has_too_many_fields', `File "${fileName}", line ${line}: more fields than column names`, {
    detail: `The line has at least ${column + 1} fields, the header ${width}. The first too many is ${JSON.stringify(value.slice(0, 200))}.`,
    hint: 'Check delimiter, quote and header_row in the settings, or ask the sender to quote fields that hold the delimiter.',
  })
}

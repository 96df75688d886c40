import { PermanentError } from '../errors.ts'
import { type Cell, eachRow, type RowSource } from './row-source.ts'
import { shownValue } from './shown-value.ts'
import { type ValueKind, valueKind } from './value-kind.ts'

export interface SingleValue {
  /** As people read it; empty for null, and when there is no row. */
  text: string
  value: Cell
  kind: ValueKind
}

/**
 * The one value that a query answers. No row counts as null.
 *
 * @param name of the query, for messages
 * @throws PermanentError `value_is_not_single`
 */
export async function singleValue(source: RowSource, name: string): Promise<SingleValue> {
  const [column] = source.columns
  if (column === undefined || source.columns.length > 1) throw notSingle(name, `${source.columns.length} columns`)
  let found: Cell | undefined
  for await (const [value = null] of eachRow(source)) {
    if (found !== undefined) throw notSingle(name, 'more than one row')
    found = value
  }
  const kind = valueKind(column.typeOid)
  const value = found ?? null
  return { text: shownValue(value, kind), value, kind }
}

function notSingle(name: string, has: string): PermanentError {
  return new PermanentError('value_is_not_single', `Query "${name}" does not answer one single value`, {
    detail: `It answers ${has}.`,
    hint: 'Let it answer one row of one column, or show it as table in dba.reportquery.',
  })
}

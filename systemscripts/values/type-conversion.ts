import { PermanentError } from '../errors.ts'
import { createBooleanConversion } from './boolean-conversion.ts'
import { type ColumnType, readColumnType } from './column-type.ts'
import { createIntervalConversion } from './interval-conversion.ts'
import { createMomentConversion } from './moment-conversion.ts'
import { createNumberConversion } from './number-conversion.ts'
import { createByteaConversion, createJsonConversion, createTextConversion, createUuidConversion } from './plain-conversions.ts'
import type { TypeConversion, TypeRule } from './type-rule.ts'

/**
 * The last step of a conversion: text of the type, or refused. For types other than text, values come trimmed and not empty.
 *
 * @throws PermanentError `number_format_invalid`, `date_format_invalid`, `boolean_format_invalid`, `interval_format_invalid`,
 *   `format_not_used`, `zone_unknown`
 */
export function createTypeConversion(typeName: string, rule: TypeRule): { isText: boolean; convert: TypeConversion } {
  const type = readColumnType(typeName)
  const create = CONVERSIONS[type.kind]
  if (create === undefined) {
    if (rule.format !== null) throw formatNotUsed(type, rule)
    return { isText: true, convert: createTextConversion(type, rule) }
  }
  if (rule.format !== null && (type.kind === 'uuid' || type.kind === 'json' || type.kind === 'bytea')) throw formatNotUsed(type, rule)
  return { isText: false, convert: create(type, rule) }
}

const CONVERSIONS: Partial<Record<ColumnType['kind'], (type: ColumnType, rule: TypeRule) => TypeConversion>> = {
  smallint: createNumberConversion,
  integer: createNumberConversion,
  bigint: createNumberConversion,
  numeric: createNumberConversion,
  real: createNumberConversion,
  'double precision': createNumberConversion,
  boolean: createBooleanConversion,
  date: createMomentConversion,
  timestamp: createMomentConversion,
  timestamptz: createMomentConversion,
  time: createMomentConversion,
  interval: createIntervalConversion,
  uuid: createUuidConversion,
  json: createJsonConversion,
  bytea: createByteaConversion,
}

function formatNotUsed(type: ColumnType, rule: TypeRule): PermanentError {
  return new PermanentError('format_not_used', `Column "${rule.column}" is of type ${type.name}, which is read without a format`, {
    detail: `Its format is "${rule.format}".`,
    hint: 'Set type in dba.importcolumn to what the format is for, such as date or numeric, or format to null. For a date that is to stay text, transform date("dd.MM.yyyy").',
  })
}

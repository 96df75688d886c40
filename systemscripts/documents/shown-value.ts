import type { Cell, Column } from './row-source.ts'
import { type ValueKind, valueKind } from './value-kind.ts'

/** A value as people read it in a mail or on paper: null is empty, booleans are words, a moment has no offset since the header names the zone. */
export function shownValue(value: Cell, kind: ValueKind): string {
  if (value === null) return ''
  if (kind === 'boolean') return value === 't' ? 'true' : value === 'f' ? 'false' : value
  if (kind === 'timestamptz') return value.replace(OFFSET, '')
  return value
}

/** `created_at (UTC)` for timestamptz, else the name as it is. */
export function shownHeader({ name, typeOid }: Column, timeZone = 'UTC'): string {
  return valueKind(typeOid) === 'timestamptz' ? `${name} (${timeZone})` : name
}

/** `+00`, `-03:30`, and `+00:19:32` of long ago, in front of ` BC`. */
const OFFSET = /[+-]\d\d(?::\d\d){0,2}(?= BC$|$)/

import { parse } from 'node:path'
import { PermanentError } from './errors.ts'
import { compileSafely } from './values/safe-pattern.ts'

export interface NamePart {
  /** Null: the whole text; digits: the part of that number, from 0; else a regular expression, of which the first group, or all of it, is taken. */
  spec: string | null
  /** Stands between parts. */
  delimiter: string
}

/** A file name without its last extension: `prices.2026.csv` → `prices.2026`. */
export function stemOf(fileName: string): string {
  return parse(fileName).name
}

/**
 * Takes a part out of a name. With `text` = `prices_20261122_eu` and delimiter `_`: spec `1` gives `20261122`, spec `prices_(\d+)` as well.
 *
 * @throws PermanentError `name_part_not_found`, `name_spec_invalid`
 */
export function namePart(text: string, { spec, delimiter }: NamePart): string {
  if (spec === null) return text
  const found = /^\d+$/.test(spec) ? text.split(delimiter)[Number(spec)] : groupOf(text, spec)
  if (found !== undefined && found !== '') return found
  throw new PermanentError('name_part_not_found', `"${text}" has no part that "${spec}" means`, {
    detail: /^\d+$/.test(spec)
      ? `Its parts, counted from 0: ${text
          .split(delimiter)
          .map((part) => `"${part}"`)
          .join(', ')}.`
      : 'The regular expression does not match.',
    hint: 'Correct label_spec, date_spec or part_delimiter in dba.importconfig, or have the file named right.',
  })
}

function groupOf(text: string, pattern: string): string | undefined {
  const { expression, longestText } = compileSafely(pattern, '', (why) => specInvalid(pattern, why))
  const match = expression.exec(text.slice(0, longestText))
  return match?.slice(1).find((group) => group !== undefined) ?? match?.[0]
}

/** One that comes to an end with texts as long as names are. @throws PermanentError `name_spec_invalid` */
export function nameExpression(pattern: string): RegExp {
  return compileSafely(pattern, '', (why) => specInvalid(pattern, why)).expression
}

function specInvalid(pattern: string, why: string): PermanentError {
  return new PermanentError('name_spec_invalid', `"${pattern}" is no regular expression that can be used`, {
    detail: why,
    hint: 'Correct label_spec, date_spec or empty_when in dba.importconfig.',
  })
}

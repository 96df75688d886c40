import { PermanentError } from '../../errors.ts'

/** Where ids come from. Numbers are kept as text with their leading zeros: `width` is how many digits they have at least. */
export type IdSpec =
  | { kind: 'range'; first: bigint; last: bigint; step: bigint; width: number }
  | { kind: 'list'; ids: string[] }
  | { kind: 'frontier'; first: bigint; misses: number; width: number }

/**
 * `115000..144999`, `001..999 step 3`: the last one belongs to it when a step hits it.
 * @throws PermanentError `ids_invalid`
 */
export function parseRange(text: string): IdSpec {
  const found = /^\s*(\d{1,15})\s*\.\.\s*(\d{1,15})(?:\s+step\s+([1-9]\d{0,9}))?\s*$/.exec(text)
  const [, first, last, step = '1'] = found ?? []
  if (first === undefined || last === undefined) throw idsInvalid(text, 'a range', 'Write 115000..144999, or 0..900 step 100.')
  if (BigInt(first) > BigInt(last)) throw idsInvalid(text, 'a range', 'Write the smaller number first.')
  return { kind: 'range', first: BigInt(first), last: BigInt(last), step: BigInt(step), width: widthOf(first) }
}

/** `94583 misses 500`: from there upward until so many ids in a row, behind the last hit, were none. @throws PermanentError `ids_invalid` */
export function parseFrontier(text: string): IdSpec {
  const found = /^\s*(\d{1,15})\s+misses\s+([1-9]\d{0,5})\s*$/.exec(text)
  const [, first, misses] = found ?? []
  if (first === undefined) throw idsInvalid(text, 'a frontier', 'Write for example 94583 misses 500.')
  return { kind: 'frontier', first: BigInt(first), misses: Number(misses), width: widthOf(first) }
}

/** Ids between commas or on lines of their own, each once. @throws PermanentError `ids_invalid` */
export function parseList(text: string): IdSpec {
  const ids = text.split(/[,\n\r]+/).map((id) => id.trim())
  return listOf(ids, text)
}

/** What a query gave; blank ones are left out. */
export function listOf(ids: string[], text = ''): IdSpec {
  const kept = [...new Set(ids.filter((id) => id !== ''))]
  if (kept.length === 0 && text !== '') throw idsInvalid(text, 'a list', 'Write ids between commas: a, b, c.')
  return { kind: 'list', ids: kept }
}

/** With leading zeros the width is meant, without them the number. */
function widthOf(first: string): number {
  return first.startsWith('0') ? first.length : 1
}

function idsInvalid(text: string, what: string, hint: string): PermanentError {
  return new PermanentError('ids_invalid', `"${text}" is not ${what} of ids`, {
    hint: `${hint} It stands in ids_spec of dba.scrapeconfig.`,
  })
}

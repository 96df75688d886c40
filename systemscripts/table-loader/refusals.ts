import { PermanentError } from '../errors.ts'

/** The target, or the right to it, is wrong: no file is to blame, and every file would meet the same. */
export class TargetError extends PermanentError {}

/** A list of names for a detail: in double quotes, at most `most` of them. */
export function nameList(names: string[], most = 40): string {
  if (names.length === 0) return 'none'
  const shown = names.slice(0, most).map((name) => `"${name}"`)
  return shown.join(', ') + (names.length > most ? ` and ${names.length - most} more` : '')
}

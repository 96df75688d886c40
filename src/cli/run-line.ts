import type { RunLine } from './deps.ts'
import { clockText, durationText } from './moments.ts'
import { plain } from './print-table.ts'

/** A run that ended, in one line: `06:20:03  succeeded  meetmax import  1.2 s  3 files, 412 rows`. */
export function runLine({ at, scheduleName, state, seconds, note, error }: RunLine): string {
  const what = error ? `${error.code}: ${error.message}${error.hint ? ` (${error.hint})` : ''}` : (note ?? '')
  return plain([clockText(at), state.padEnd(9), scheduleName, durationText(seconds), what].join('  ').trimEnd())
}

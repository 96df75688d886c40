import { PermanentError } from '../../systemscripts/errors.ts'
import type { Database } from './open-database.ts'

/** The first characters of a run's id, as lists show it and every command takes it. */
export function shortId(runId: string): string {
  return runId.slice(0, 8)
}

/** Whether a word is a run's id or its beginning, rather than the name of a schedule. */
export function looksLikeRunId(word: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f-]{0,27})?$/i.test(word)
}

/**
 * The run that a person means by its id or the beginning of it, eight characters at least.
 *
 * @throws PermanentError `run_not_found`, `run_ambiguous`
 */
export async function findRun({ query }: Database, word: string): Promise<string> {
  const from = fill(word, '0')
  const to = fill(word, 'f')
  const found =
    from === null || to === null
      ? []
      : await query<{ run_id: string }>(
          `select run_id from dba.recent_run where run_id between $1 and $2
           union
           select run_id from dba.next_run where run_id between $1 and $2
           limit 2`,
          [from, to],
        )
  const [only, other] = found
  if (only === undefined) {
    throw new PermanentError('run_not_found', `There is no run "${word}"`, {
      hint: 'Take the id from "rota runs" or "rota next": all of it, or at least its first eight characters.',
    })
  }
  if (other !== undefined) {
    throw new PermanentError('run_ambiguous', `Several runs begin with "${word}"`, {
      detail: `Two of them: ${only.run_id}, ${other.run_id}.`,
      hint: 'Write more of the id.',
    })
  }
  return only.run_id
}

/** A whole id out of the beginning of one: the least or the greatest that begins so. */
function fill(word: string, digit: string): string | null {
  if (!looksLikeRunId(word)) return null
  const digits = word.replaceAll('-', '').toLowerCase().padEnd(32, digit)
  return /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(digits)?.slice(1).join('-') ?? null
}

import { zoneHere } from './moments.ts'
import type { Database } from './open-database.ts'

/**
 * The moment that a person means by `--since`: a length of time back from now (`2 hours`, `90 min`, `1 day 4 hours`), a time of today
 * (`06:20`), or a date, in the zone of this machine.
 *
 * @returns null when the option was not given.
 * @throws what Postgres says of a text it cannot read.
 */
export async function sinceMoment({ query }: Database, text: string | undefined): Promise<Date | null> {
  if (text === undefined) return null
  const isLength = /^\s*\d+(\.\d+)?\s*[a-z]+(\s+\d+\s*[a-z]+)*\s*$/i.test(text)
  const [row] = isLength
    ? await query<{ moment: Date }>('select now() - $1::interval as moment', [text])
    : await query<{ moment: Date }>('select dba.parse_moment($1, $2) as moment', [todayWhenTime(text.trim()), zoneHere()])
  return row?.moment ?? null
}

/** `06:20` means today; Swedish writes dates as ISO does. */
function todayWhenTime(text: string): string {
  return /^\d{1,2}:\d{2}(:\d{2})?$/.test(text) ? `${new Intl.DateTimeFormat('sv-SE').format(new Date())} ${text}` : text
}

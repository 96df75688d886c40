import { PermanentError } from '../../systemscripts/errors.ts'

/** Takes typed values out of a row of settings; each throws PermanentError `setting_invalid` for a value of another kind. */
export type RowReader = ReturnType<typeof rowReader>

/**
 * The table's CHECKs have judged the row and the args; this is for what came since: an older version's row, a value of the wrong type.
 * @param table where the row stands, for people
 */
export function rowReader(row: Record<string, unknown>, table: string) {
  return { text, textOrNull, texts, flag, word, numberOrNull, seconds, rows }

  function textOrNull(column: string): string | null {
    const value = row[column] ?? null
    if (value === null || typeof value === 'string') return value
    if (typeof value === 'number') return String(value)
    return refuse(column, 'text')
  }

  function text(column: string): string {
    return textOrNull(column) ?? refuse(column, 'text')
  }

  function flag(column: string): boolean {
    const value = row[column]
    return typeof value === 'boolean' ? value : /^(t|true|on|yes|1)$/i.test(String(value))
  }

  function word<Word extends string>(column: string, words: readonly Word[]): Word {
    return words.find((known) => known === row[column]) ?? refuse(column, words.join(', '))
  }

  function texts(column: string): string[] {
    const value = row[column] ?? []
    return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : refuse(column, 'a list of texts')
  }

  function numberOrNull(column: string): number | null {
    const value = textOrNull(column)
    if (value === null) return null
    return Number.isFinite(Number(value)) ? Number(value) : refuse(column, 'a number')
  }

  function seconds(column: string): number {
    return intervalSeconds(text(column)) ?? refuse(column, "an interval such as '10 seconds'")
  }

  /** The rows of a table beside this one; none where the row has not been given them. */
  function rows(beside: string): RowReader[] {
    const value = row[beside] ?? []
    return Array.isArray(value) ? value.map((one) => rowReader(isRecord(one) ? one : {}, `dba.${beside}`)) : []
  }

  function refuse(column: string, wanted: string): never {
    throw new PermanentError('setting_invalid', `${column} of ${table} is ${JSON.stringify(row[column] ?? null)}`, {
      hint: `Write ${wanted}, in the row or in the args of the schedule.`,
    })
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `00:00:02`, as Postgres writes an interval below a day, or as a person does: `10 seconds`, `1 minute 30 s`. */
function intervalSeconds(text: string): number | null {
  const clock = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text)
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])
  const factors: Record<string, number> = { s: 1, m: 60, h: 3600 }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?)\b/gi)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.replace(/^\s+|(?<=[a-z])\s+|\s+$/gi, '')) return null
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (factors[unit?.[0]?.toLowerCase() ?? ''] ?? 0), 0)
}

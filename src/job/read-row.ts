import { PermanentError } from '../../systemscripts/errors.ts'

/** Takes typed values out of a row of settings; each throws PermanentError `setting_invalid` for a value of another kind. */
export type RowReader = ReturnType<typeof rowReader>

/**
 * The table's CHECKs have judged the row and the args; this is for what came since: an older version's row, a value of the wrong type.
 * @param table where the row stands, for people
 */
export function rowReader(row: Record<string, unknown>, table: string) {
  return { text, textOrNull, texts, textsOrNull, flag, word, wordOrNull, number, numberOrNull, numbers, seconds, secondsOrNull, rows }

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

  function wordOrNull<Word extends string>(column: string, words: readonly Word[]): Word | null {
    return textOrNull(column) === null ? null : word(column, words)
  }

  function textsOrNull(column: string): string[] | null {
    return (row[column] ?? null) === null ? null : texts(column)
  }

  function texts(column: string): string[] {
    const value = row[column] ?? []
    return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : refuse(column, 'a list of texts')
  }

  function number(column: string): number {
    return numberOrNull(column) ?? refuse(column, 'a number')
  }

  function numbers(column: string): number[] {
    const value = row[column] ?? []
    return Array.isArray(value) && value.every((one) => typeof one === 'number') ? value : refuse(column, 'a list of numbers')
  }

  function numberOrNull(column: string): number | null {
    const value = textOrNull(column)
    if (value === null) return null
    return Number.isFinite(Number(value)) ? Number(value) : refuse(column, 'a number')
  }

  function seconds(column: string): number {
    return secondsOrNull(column) ?? refuse(column, "an interval such as '10 seconds'")
  }

  function secondsOrNull(column: string): number | null {
    const value = textOrNull(column)
    return value === null ? null : (intervalSeconds(value) ?? refuse(column, "an interval such as '10 seconds'"))
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

/** As Postgres writes an interval, `1 day 00:00:02`, or as a person does: `10 seconds`, `1 minute 30 s`, `7 days`; null for anything else. */
function intervalSeconds(text: string): number | null {
  const clock = /(?:^|\s)(\d+):(\d\d):(\d\d(?:\.\d+)?)\s*$/.exec(text)
  const words = (clock === null ? text : text.slice(0, clock.index)).toLowerCase()
  const parts = [...words.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)]
  const sizes = parts.map(([, count, unit = '']) => Number(count) * (unitSeconds(unit) ?? Number.NaN))
  const hasMore = words.replaceAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g, '').trim() !== ''
  if (hasMore || (parts.length === 0 && clock === null)) return null
  const sum = sizes.reduce(
    (total, size) => total + size,
    clock === null ? 0 : Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]),
  )
  return Number.isNaN(sum) ? null : sum
}

function unitSeconds(unit: string): number | null {
  if (/^s(ec(ond)?s?)?$/.test(unit)) return 1
  if (/^m(in(ute)?s?)?$/.test(unit)) return 60
  if (/^h(ours?)?$/.test(unit)) return 3600
  if (/^d(ays?)?$/.test(unit)) return 86_400
  if (/^w(eeks?)?$/.test(unit)) return 604_800
  if (/^mon(th)?s?$/.test(unit)) return 30 * 86_400
  return /^y(ears?)?$/.test(unit) ? 365 * 86_400 : null
}

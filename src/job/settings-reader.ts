import { PermanentError } from '../../systemscripts/errors.ts'

/** Reads the columns of a settings row, args laid over it, as what they must be. Each throws PermanentError `setting_invalid`. */
export interface SettingsReader {
  text(column: string): string
  textOrNull(column: string): string | null
  texts(column: string): string[]
  flag(column: string): boolean
  word<Word extends string>(column: string, words: readonly Word[]): Word
  number(column: string): number
  numberOrNull(column: string): number | null
  seconds(column: string): number
  secondsOrNull(column: string): number | null
  /** Rows of a table beside the settings, as they were when the run was queued. */
  rows(table: string): Record<string, unknown>[]
}

/** The table's CHECKs have judged the row and the args; this is for what came since: an older version's row, a value of the wrong type. */
export function settingsReader(row: Record<string, unknown>, table: string): SettingsReader {
  return { text, textOrNull, texts, flag, word, number, numberOrNull, seconds, secondsOrNull, rows }

  function textOrNull(column: string): string | null {
    const value = row[column] ?? null
    if (value === null || typeof value === 'string') return value
    if (typeof value === 'number') return String(value)
    return refuse(column, 'text')
  }

  function text(column: string): string {
    return textOrNull(column) ?? refuse(column, 'text')
  }

  function texts(column: string): string[] {
    const value = row[column] ?? []
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
    return refuse(column, 'a list of texts')
  }

  function flag(column: string): boolean {
    const value = row[column]
    return typeof value === 'boolean' ? value : /^(t|true|on|yes|1)$/i.test(String(value))
  }

  function word<Word extends string>(column: string, words: readonly Word[]): Word {
    return words.find((known) => known === row[column]) ?? refuse(column, words.join(', '))
  }

  function number(column: string): number {
    return numberOrNull(column) ?? refuse(column, 'a number')
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

  function rows(name: string): Record<string, unknown>[] {
    const value = row[name] ?? []
    if (Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null)) return value
    return refuse(name, 'a list of rows')
  }

  function refuse(column: string, wanted: string): never {
    throw new PermanentError('setting_invalid', `${column} of ${table} is ${JSON.stringify(row[column] ?? null)}`, {
      hint: `Write ${wanted}, in the row or in the args of the schedule.`,
    })
  }
}

/** `1 day 00:00:02`, as Postgres writes an interval, or as a person does: `10 seconds`, `1 minute 30 s`, `7 days`. */
export function intervalSeconds(text: string): number | null {
  const factors: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
  let rest = text.trim().toLowerCase()
  if (rest === '') return null
  let sum = 0
  const clock = /(?:^|\s)(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(rest)
  if (clock) {
    sum += Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])
    rest = rest.slice(0, clock.index)
  }
  const left = rest.replace(
    /(\d+(?:\.\d+)?)\s*(mon(?:th)?s?|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?|d(?:ays?)?|w(?:eeks?)?)(?=\s|\d|$)/g,
    (_, count: string, unit: string) => {
      sum += Number(count) * (unit.startsWith('mon') ? 30 * 86_400 : (factors[unit[0] ?? ''] ?? 0))
      return ''
    },
  )
  return left.trim() === '' ? sum : null
}

/** Names of months and days of the week in one language, as people write them. */
export interface CalendarNames {
  language: string
  /** From 1, by the name in lower case, without a dot behind it. */
  months: Map<string, number>
  /** Sunday is 0. */
  weekdays: Map<string, number>
}

/** What may stand behind @ in a date format. */
export const LANGUAGES = 'bg cs da de el en es et fi fr hr hu it lt lv nb nl pl pt ro ru sk sl sv tr uk'.split(' ')

/** @returns full names, short ones and their first three letters, with and without accents; what would mean two months means none */
export function calendarNames(language: string): CalendarNames {
  const known = cache.get(language)
  if (known !== undefined) return known
  const names = {
    language,
    months: namesOf(language, 'month', MONTHS, language === 'de' ? [['mrz', 3]] : []),
    weekdays: namesOf(language, 'weekday', WEEKDAYS, []),
  }
  cache.set(language, names)
  return names
}

/** As it is looked up. */
export function nameKey(name: string, language: string): string {
  return name.toLocaleLowerCase(language).normalize('NFC')
}

const cache = new Map<string, CalendarNames>()

const MONTHS = Array.from({ length: 12 }, (_, index) => ({ date: new Date(Date.UTC(2024, index, 10)), number: index + 1 }))
/** The 7th of January 2024 was a Sunday. */
const WEEKDAYS = Array.from({ length: 7 }, (_, index) => ({ date: new Date(Date.UTC(2024, 0, 7 + index)), number: index }))

function namesOf(
  language: string,
  part: 'month' | 'weekday',
  dates: { date: Date; number: number }[],
  more: [name: string, number: number][],
): Map<string, number> {
  const full: [string, number][] = []
  for (const length of ['long', 'short'] as const) {
    for (const { date, number } of dates) {
      // In Slavic languages a month beside a day is another word than a month alone.
      for (const beside of [{}, { day: 'numeric' as const, year: 'numeric' as const }]) {
        const parts = new Intl.DateTimeFormat(language, { [part]: length, timeZone: 'UTC', ...beside }).formatToParts(date)
        const name = parts.find(({ type }) => type === part)?.value ?? ''
        if (/\p{L}/u.test(name)) full.push([withoutDot(nameKey(name, language)), number])
      }
    }
  }
  const beginnings = full.flatMap(([name, number]): [string, number][] =>
    [3, 4].map((letters) => [withoutDot(name.slice(0, letters)), number]),
  )
  const names = new Map<string, number>()
  for (const named of [[...full, ...more], plainly(full), beginnings, plainly(beginnings)]) addUnambiguous(names, named)
  return names
}

function plainly(named: [string, number][]): [string, number][] {
  return named.map(([name, number]) => [name.normalize('NFD').replace(/\p{M}/gu, ''), number])
}

/** What is known already stays. */
function addUnambiguous(names: Map<string, number>, named: [string, number][]): void {
  const meanings = new Map<string, Set<number>>()
  for (const [name, number] of named) meanings.set(name, (meanings.get(name) ?? new Set()).add(number))
  for (const [name, numbers] of meanings) {
    const [number, other] = numbers
    if (number !== undefined && other === undefined && !names.has(name)) names.set(name, number)
  }
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '')
}

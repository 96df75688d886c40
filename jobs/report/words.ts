/** What `{word}` stands for in subject, body and file names, and moments as people read them. */

/** `{timestamp}` and `{date}` of the fire, and the columns of the recipient. */
export function wordsFor(at: Date, timeZone: string, values: ReadonlyMap<string, string | null>): Map<string, string> {
  const { date, time } = parts(at, timeZone)
  const columns = [...values].map(([name, value]) => [name, value ?? ''] as const)
  return new Map([...columns, ['timestamp', `${date.replaceAll('-', '')}T${time.replaceAll(':', '')}`], ['date', date]])
}

/** `2026-11-22 06:20 Europe/Warsaw` */
export function localMoment(at: Date, timeZone: string): string {
  const { date, time } = parts(at, timeZone)
  return `${date} ${time.slice(0, 5)} ${timeZone}`
}

function parts(at: Date, timeZone: string): { date: string; time: string } {
  const text = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(at)
  const [date = '', time = ''] = text.split(' ')
  return { date, time }
}

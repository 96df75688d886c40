const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
/** Hours west of Greenwich, RFC 5322 4.3; any other name counts as UTC. */
const ZONES: Record<string, number> = { est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 }

/** The moment that a Date field states; null when it cannot be read. Years of two digits: 00–49 are of this century. Source: RFC 5322, 3.3 and 4.3. */
export function parseMailDate(raw: string): Date | null {
  const text = raw.replace(/\([^)]*\)/g, ' ')
  const match = /(\d{1,2})[\s-]+([a-z]{3})[a-z]*[\s-]+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*([+-]\d{4}|[a-z]{1,5}))?/i.exec(text)
  if (match === null) return null
  const [, day, monthName = '', yearText = '', hour, minute, second = '0', zone = ''] = match
  const month = MONTHS.indexOf(monthName.toLowerCase())
  const year = Number(yearText) + (yearText.length > 2 ? (yearText.length === 3 ? 1900 : 0) : Number(yearText) < 50 ? 2000 : 1900)
  if (month === -1 || Number(day) > 31 || Number(hour) > 24) return null
  const date = new Date(Date.UTC(year, month, Number(day), Number(hour), Number(minute) - offsetMinutes(zone), Number(second)))
  return Number.isNaN(date.getTime()) ? null : date
}

function offsetMinutes(zone: string): number {
  if (/^[+-]\d{4}$/.test(zone)) return (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)))
  return (ZONES[zone.toLowerCase()] ?? 0) * 60
}

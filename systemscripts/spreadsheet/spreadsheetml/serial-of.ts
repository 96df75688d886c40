const MS_PER_DAY = 86_400_000

/**
 * The serial number of a moment such as `2024-01-31T12:30:00.000`, as a cell of a workbook holds it; NaN for what is none. Times of day stand on
 * day 0: 1899-12-31, or 1904-01-01. Excel's 1900 has a 29th of February.
 */
export function serialOf(moment: string, is1904: boolean): number {
  const parts = /^\s*(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?Z?\s*$/.exec(moment)
  if (parts === null) return Number.NaN
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0, fraction = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  const ofDay = ((hours * 60 + minutes) * 60 + seconds + fraction) * 1000
  if (!is1904 && year === 1900 && month === 2 && day === 29) return 60 + ofDay / MS_PER_DAY
  const days = (Date.UTC(year, month - 1, day) - (is1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, 31))) / MS_PER_DAY
  return days + (!is1904 && days > 59 ? 1 : 0) + ofDay / MS_PER_DAY
}

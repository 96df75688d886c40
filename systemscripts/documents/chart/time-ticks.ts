const MOST_TICKS = 9
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** One line or two below the axis. */
export interface Tick {
  value: number
  label: string | string[]
}

const STEPS: readonly number[] = [1, 2, 5, 15, 30]
  .map((count) => count * SECOND)
  .concat([1, 2, 5, 15, 30].map((count) => count * MINUTE))
  .concat([1, 2, 3, 6, 12].map((count) => count * HOUR))
  .concat([1, 2, 7, 14].map((count) => count * DAY))
const MONTH_STEPS: readonly number[] = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000]

/**
 * Places to mark on an axis of time, at round times of the clock on the wall, nine at most. The date or the year stands in a second line where it
 * begins, so that no mark leaves open which day it is. Times are milliseconds as if the wall were in UTC.
 *
 * @param daysOnly no times of day, since the data have none
 */
export function timeTicks(from: number, to: number, daysOnly: boolean): Tick[] {
  const step = STEPS.find((length) => (to - from) / length <= MOST_TICKS - 1 && (length >= DAY || !daysOnly))
  if (step === undefined) return monthTicks(from, to)
  // Weeks begin on Monday: day 4 of 1970 was one.
  const origin = step >= 7 * DAY ? 4 * DAY : 0
  const values: number[] = []
  for (let value = Math.ceil((from - origin) / step) * step + origin; value <= to; value += step) values.push(value)
  return values.map((value, at) => ({
    value,
    label: step < DAY ? clockLabel(value, values[at - 1], step) : dayLabel(value, values[at - 1]),
  }))
}

function monthTicks(from: number, to: number): Tick[] {
  const months = (to - from) / (30.4 * DAY)
  const step = MONTH_STEPS.find((count) => months / count <= MOST_TICKS - 1) ?? 12_000
  const first = new Date(from)
  const ticks: Tick[] = []
  const start = Math.floor((first.getUTCFullYear() * 12 + first.getUTCMonth()) / step) * step
  for (let month = start; ; month += step) {
    const value = Date.UTC(Math.floor(month / 12), month % 12, 1)
    if (value > to) return ticks
    if (value < from) continue
    const year = String(Math.floor(month / 12))
    const isFirst = ticks.length === 0 || month % 12 < step
    ticks.push({ value, label: step >= 12 ? year : isFirst ? [MONTHS[month % 12] ?? '', year] : (MONTHS[month % 12] ?? '') })
  }
}

function clockLabel(value: number, before: number | undefined, step: number): string | string[] {
  const clock = new Date(value).toISOString().slice(11, step < MINUTE ? 19 : 16)
  return before === undefined || Math.floor(before / DAY) !== Math.floor(value / DAY) ? [clock, day(value)] : clock
}

function dayLabel(value: number, before: number | undefined): string | string[] {
  const year = new Date(value).getUTCFullYear()
  return before === undefined || new Date(before).getUTCFullYear() !== year ? [day(value), String(year)] : day(value)
}

function day(value: number): string {
  const date = new Date(value)
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`
}

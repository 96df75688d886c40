import { PermanentError } from '../errors.ts'

/** Offsets of one time zone, in seconds east of Greenwich. A million answers take well below a second: what is asked of a day is kept. */
export interface ZoneOffsets {
  /**
   * Of a time on the zone's clocks, in seconds since 1970-01-01 00:00 on them. In the hour that comes twice it is the first; in the hour that
   * the clocks skip it is what held before, so that the moment lies as far behind the change as was written.
   */
  ofLocal(seconds: number): number
  /** Of a moment, in seconds since 1970-01-01 00:00 UTC. */
  ofMoment(seconds: number): number
}

/** @throws PermanentError `zone_unknown` */
export function createZoneOffsets(zone: string): ZoneOffsets {
  const ask = createAsker(zone)
  if (['UTC', 'ETC/UTC', 'GMT', 'ETC/GMT'].includes(zone.toUpperCase())) return { ofLocal: () => 0, ofMoment: () => 0 }
  const days = new Map<number, Day>()
  const midnights = new Map<number, number>()
  return {
    ofLocal: (seconds) => {
      const { before, after, changesAt } = dayAt(seconds)
      if (before === after || seconds - before < changesAt || seconds - after < changesAt) return before
      return after
    },
    ofMoment: (seconds) => {
      const { before, after, changesAt } = dayAt(seconds)
      return seconds < changesAt ? before : after
    },
  }

  function dayAt(seconds: number): Day {
    const number = Math.floor(seconds / DAY)
    const known = days.get(number)
    if (known !== undefined) return known
    if (days.size >= MOST_DAYS) {
      days.clear()
      midnights.clear()
    }
    const day = learnDay(number * DAY)
    days.set(number, day)
    return day
  }

  /** What holds from the day before to the day after; no zone changes twice so soon. */
  function learnDay(begin: number): Day {
    let low = begin - DAY
    let high = begin + 2 * DAY
    const before = atMidnight(low)
    const after = atMidnight(high)
    if (before === after) return { before, after, changesAt: 0 }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (ask(middle) === before) low = middle
      else high = middle
    }
    return { before, after, changesAt: high }
  }

  function atMidnight(seconds: number): number {
    const known = midnights.get(seconds)
    if (known !== undefined) return known
    const offset = ask(seconds)
    midnights.set(seconds, offset)
    return offset
  }
}

/** One change at most: seconds since 1970-01-01 00:00 UTC. */
interface Day {
  before: number
  after: number
  changesAt: number
}

function createAsker(timeZone: string): (seconds: number) => number {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    throw new PermanentError('zone_unknown', `Time zone "${timeZone}" is not known`, {
      hint: 'Set source_zone in dba.importconfig to an IANA name such as Europe/Warsaw: select * from dba.timezone.',
    })
  }
  return (seconds) => {
    // Before clocks were set by law every zone keeps its local mean time.
    const moment = Math.max(seconds, FIRST_LAW)
    const at = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
    for (const { type, value } of format.formatToParts(moment * 1000)) {
      if (type === 'year' || type === 'month' || type === 'day' || type === 'hour' || type === 'minute' || type === 'second')
        at[type] = Number(value)
    }
    return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) / 1000 - moment
  }
}

const DAY = 86_400
const MOST_DAYS = 100_000
const FIRST_LAW = Date.UTC(1800, 0, 1) / 1000

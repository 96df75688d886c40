import { createZoneOffsets } from '../../values/zone-offsets.ts'

/** When a host may be asked: from one time of day to another, on the clocks of a zone. `22:00` to `06:00` is the night. Equal: always. */
export interface ActiveWindow {
  /** `HH:MM` or `HH:MM:SS`. */
  from: string
  to: string
  /** IANA name. */
  timeZone: string
}

/**
 * The moment from which on the window is open: `now` itself while it is. The end does not belong to it. Where the clocks change in between,
 * the answer may be wrong by the change; who waits asks again from time to time.
 *
 * @param now milliseconds since 1970 UTC; so is the answer
 * @throws RangeError for a time of day that is none; PermanentError `zone_unknown`
 */
export function nextOpening({ from, to, timeZone }: ActiveWindow, now: number): number {
  const opens = secondsOf(from)
  const closes = secondsOf(to)
  const moment = Math.floor(now / 1000)
  const local = (moment + createZoneOffsets(timeZone).ofMoment(moment)) % DAY
  const sinceOpening = (local - opens + DAY) % DAY
  const length = (closes - opens + DAY) % DAY || DAY
  return sinceOpening < length ? now : now + (DAY - sinceOpening) * 1000
}

const DAY = 24 * 60 * 60

function secondsOf(time: string): number {
  const found = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?$/.exec(time.trim())
  const [hours, minutes, seconds] = [found?.[1], found?.[2], found?.[3] ?? '0'].map(Number)
  if (hours === undefined || minutes === undefined || seconds === undefined || !(hours <= 24 && minutes < 60 && seconds < 60)) {
    throw new RangeError(`"${time}" is no time of day such as 22:00.`)
  }
  return (hours * 3600 + minutes * 60 + seconds) % DAY
}

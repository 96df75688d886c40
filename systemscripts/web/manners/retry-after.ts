/** No server is believed that says longer. */
const LONGEST_SECONDS = 24 * 60 * 60

/**
 * How many seconds a Retry-After asks to wait (RFC 9110, 10.2.3: seconds or a date). Null when it says nothing that can be read.
 * A date that has passed is 0; more than a day is a day.
 *
 * @param date the response's own Date, so that a server whose clock is wrong is understood as it means it
 */
export function retryAfterSeconds(header: string | null, now: Date, date: string | null = null): number | null {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text), LONGEST_SECONDS)
  const at = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) return null
  const sentAt = Date.parse(date ?? '')
  const seconds = (at - (Number.isNaN(sentAt) ? now.getTime() : sentAt)) / 1000
  return Math.min(Math.max(seconds, 0), LONGEST_SECONDS)
}

import { PermanentError } from './errors.ts'
import { compileDatePattern, type PatternDemands } from './values/date-pattern.ts'
import { emptyMoment, type Reading } from './values/moment.ts'

/**
 * Reads the calendar day out of a text, as a format says: `yyyy` `yy` (1970–2069) `MMM` `MMMM` (Jan or January; `MMM@de` in German) `MM` `M`
 * `dd` `d` `EEE` `HH` `H` `hh` `h` `mm` `ss` `SSS` `a` (AM, PM), a text in single quotes, and everything else as it stands (`T`, dots,
 * blanks); several formats with ` | ` between them are tried in turn. The whole grammar is that of dates in values.ts.
 * The time of day must be right but is not kept.
 *
 * @returns `yyyy-mm-dd`
 * @throws PermanentError `date_not_read`, `date_format_invalid`
 */
export function readDate(text: string, format: string): string {
  const moment = emptyMoment()
  const reading = compileDatePattern(format, DAY).read(text.trim(), moment)
  if (reading !== 'read') throw dateNotRead(text, format, WHY[reading])
  const [year, month, day] = [String(moment.year).padStart(4, '0'), moment.month, moment.day]
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** @throws PermanentError `date_format_invalid` */
export function checkDateFormat(format: string): void {
  compileDatePattern(format, DAY)
}

const DAY: PatternDemands = { needed: ['year', 'month', 'day'], isOnlyDay: true }

const WHY: Record<Exclude<Reading, 'read'>, string> = {
  other_form: 'It is not written so.',
  no_such_day: 'There is no such day.',
  no_such_time: 'There is no such time of day.',
}

function dateNotRead(text: string, format: string, why: string): PermanentError {
  return new PermanentError('date_not_read', `"${text}" is not a date of the form ${format}`, {
    detail: why,
    hint: 'Correct date_from, date_spec or date_format in dba.importconfig, or have the file named right.',
  })
}

/** A schedule in words: dba.scheduler.explained. */
import cronstrue from 'cronstrue'
import type { SchedulerRow } from '../db/row-types.ts'

/** The columns of dba.scheduler that the words speak of. */
export type ScheduleTerms = Pick<
  SchedulerRow,
  | 'job'
  | 'config_name'
  | 'cron'
  | 'time_zone'
  | 'calendar'
  | 'on_holiday'
  | 'on_file'
  | 'on_notify'
  | 'run_after'
  | 'run_after_state'
  | 'is_active'
  | 'overlap'
  | 'resource'
  | 'lane'
>

/** For example: `Runs import "prices" at 06:20, Monday through Friday (Europe/Warsaw), not on free days of calendar "poland"; skipped while the run before it is open.` */
export function explainSchedule(terms: ScheduleTerms): string {
  const what = `${terms.job}${terms.config_name === null ? '' : ` "${terms.config_name}"`}`
  const reasons = [cronWords(terms), fileWords(terms), notifyWords(terms), afterWords(terms)].filter((words) => words !== null)
  const when = reasons.length === 0 ? 'only on request' : reasons.join(', and ')
  const rules = [overlapWords(terms), terms.resource === null ? null : `never together with another run on "${terms.resource}"`].filter(
    (words) => words !== null,
  )
  const off = terms.is_active ? '' : ' It is switched off.'
  return `Runs ${what} ${when}; ${rules.join('; ')}.${off}`
}

function cronWords({ cron, time_zone, calendar, on_holiday }: ScheduleTerms): string | null {
  if (cron === null) return null
  if (/^@always$/i.test(cron)) return 'all the time, on one worker of its lane'
  const days = calendar === null ? '' : `, ${holidayWords(calendar, on_holiday)}`
  const every = /^@every\s+(.+)$/i.exec(cron)
  if (every) return `every ${every[1]} counted from 1970-01-01 UTC${days}`
  return `${plainCron(cron)} (${time_zone})${days}`
}

/** Words only: when it fires is decided by dba.cron_next. */
function plainCron(cron: string): string {
  try {
    const words = cronstrue.toString(cron, { use24HourTimeFormat: true, dayOfWeekStartIndexZero: true })
    return words.charAt(0).toLowerCase() + words.slice(1)
  } catch {
    return `by cron ${cron}`
  }
}

function holidayWords(calendar: string, onHoliday: ScheduleTerms['on_holiday']): string {
  if (onHoliday === 'run') return `on free days of calendar "${calendar}" too`
  if (onHoliday === 'skip') return `not on free days of calendar "${calendar}"`
  return `on free days of calendar "${calendar}" moved to the ${onHoliday} working day`
}

function fileWords({ on_file }: ScheduleTerms): string | null {
  return on_file === null ? null : `once for each file ${on_file} that has stopped changing`
}

function notifyWords({ on_notify }: ScheduleTerms): string | null {
  return on_notify === null ? null : `for each NOTIFY ${on_notify}`
}

function afterWords({ run_after, run_after_state }: ScheduleTerms): string | null {
  if (run_after === null) return null
  const names = run_after.map((name) => `"${name}"`).join(' and ')
  const ended = run_after_state === 'finished' ? 'finished, well or not' : run_after_state
  return `after ${names} ${run_after.length > 1 ? 'have all' : 'has'} ${ended}`
}

function overlapWords({ overlap }: ScheduleTerms): string {
  const words: Record<typeof overlap, string> = {
    skip: 'skipped while the run before it is open',
    queue: 'waits while the run before it is open',
    cancel: 'stops the run before it when that is still open',
    allow: 'may run several times at once',
  }
  return words[overlap]
}

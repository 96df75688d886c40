import type { JobContext } from '../../src/job/define-job.ts'
import type { ReportSettings } from './settings.ts'
import { localMoment } from './words.ts'

/** What the foot of each mail says: what report it is, whose, when it is sent, and of what time its data are. */
export async function footOf({ config: settings, reports, run }: JobContext<ReportSettings>, dataAt: Date | null): Promise<string[]> {
  const schedule = await reports.scheduleInWords()
  const { configName, description, owner, timeZone } = settings
  return [
    `Report "${configName}"${description === null ? '' : `: ${description}`}`,
    `Owner: ${owner ?? 'nobody is named'}. ${schedule === null ? 'Sent on request' : `Sent ${whenOf(schedule)}`}.`,
    `Queries asked ${localMoment(new Date(), timeZone)}${dataAt === null ? '' : `; data as of ${localMoment(dataAt, timeZone)}`}. Run ${run.runId}.`,
  ]
}

/** Of `Runs report "orders" at 06:20 …; skipped while …` what readers want to know. */
function whenOf(schedule: string): string {
  return (schedule.split(';')[0] ?? '').replace(/^Runs report ".*?" /, '').replace(/[.]$/, '')
}

import type { Ending } from './after-everything.ts'
import { one, type People, peopleOf } from './rows.ts'

export interface WhyHouse extends People {
  /** What a reader is told. */
  why(at?: string, schedule?: string): Promise<string>
}

/** A house with one schedule, "prices", on Mondays 06:20 in Warsaw; as if it were from January, unless told otherwise. */
export async function whyHouse(t: Ending, isOld = true): Promise<WhyHouse> {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.scheduler (schedule_name, job, cron, time_zone) values ('prices', 'noop', '20 6 * * 1', 'Europe/Warsaw')`,
  )
  if (isOld) await people.database.query(inReplica(`update dba.scheduler set created_at = '2015-01-01'`))
  return { ...people, why: (at, schedule = 'prices') => one(people.reader, `select dba.why_not($1, $2) as value`, [schedule, at ?? null]) }
}

/** Past the triggers: what only the passing of time does otherwise. */
export function inReplica(statement: string): string {
  return `set session_replication_role = replica; ${statement}; set session_replication_role = origin`
}

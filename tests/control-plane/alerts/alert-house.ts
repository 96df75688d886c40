/** A house whose incidents can be watched at any moment. */
import type { Ending } from '../../helpers/after-everything.ts'
import { one, type People, peopleOf } from '../../helpers/rows.ts'
import { inReplica } from '../../helpers/why-house.ts'

export interface AlertHouse extends People {
  /** Looks at everything, as if it were that moment. Returns how many incidents changed. */
  watch(at: string): Promise<number>
  /** kind, subject, state, count of every incident, the oldest first. */
  alerts(): Promise<string[]>
  /** event, address, state of every message, in order. */
  messages(): Promise<string[]>
  set(name: string, value: string | null): Promise<unknown>
}

/** Schedule "prices" of job noop, owned by ann@example.com, as if it were from January 2015. */
export async function alertHouse(t: Ending, columns = ''): Promise<AlertHouse> {
  const people = await peopleOf(t)
  await people.dba(`insert into dba.scheduler (schedule_name, job, owner) values ('prices', 'noop', 'ann@example.com')`)
  if (columns !== '') await people.dba(`update dba.scheduler set ${columns}`)
  await people.database.query(inReplica(`update dba.scheduler set created_at = '2015-01-01', updated_at = '2015-01-01'`))
  return {
    ...people,
    watch: async (at) => Number(await one(people.worker, 'select dba.watch($1) as value', [at])),
    alerts: async () => {
      const rows = await people.reader<{ line: string }>(
        `select concat_ws(' ', kind, subject, state, count) as line from dba.alert order by alert_id`,
      )
      return rows.map(({ line }) => line)
    },
    messages: async () => {
      const rows = await people.reader<{ line: string }>(
        `select concat_ws(' ', event, address, state) as line from dba.alertmessage order by message_id`,
      )
      return rows.map(({ line }) => line)
    },
    set: (name, value) => people.dba('update dba.setting set value = $2 where name = $1', [name, value]),
  }
}

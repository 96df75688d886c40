/** A schedule is inserted where 10,000 are already: seconds until its coming runs stand in dba.run and the row has its answers. */
import { eventually } from '../helpers/engine.ts'
import { type Bench, quantile } from './bench-server.ts'
import { endAll, insertMany, manySchedules, startTwoWorkers } from './many-schedules.ts'

const inserts = 20

export const bulk: Bench = async (server, say) => {
  const database = await server.migrated()
  const begun = performance.now()
  await insertMany(database)
  const insertSeconds = (performance.now() - begun) / 1000
  say(`bulk: ${manySchedules} schedules inserted in ${insertSeconds.toFixed(1)} s`)
  const planBegun = performance.now()
  const workers = await startTwoWorkers(database)
  const planSeconds = (performance.now() - planBegun) / 1000
  say(`bulk: planned and answered in ${planSeconds.toFixed(1)} s`)
  const answers: number[] = []
  try {
    for (let n = 1; n <= inserts; n++) {
      const { rows } = await database.pool.query<{ schedule_id: number }>(
        `insert into dba.scheduler (schedule_name, job, cron) values ($1, 'noop', '0 6 * * *') returning schedule_id`,
        [`new ${n}`],
      )
      const written = performance.now()
      const isAnswered = `select from dba.scheduler s where schedule_id = $1 and config_state = 'ok' and explained is not null
        and 5 = (select count(*) from dba.run r where r.schedule_id = s.schedule_id and r.state = 'planned')`
      await eventually(async () => (await database.pool.query(isAnswered, [rows[0]?.schedule_id])).rows)
      answers.push((performance.now() - written) / 1000)
    }
  } finally {
    await endAll(workers)
  }
  return [
    { what: `INSERT of ${manySchedules} schedules at once`, value: `${insertSeconds.toFixed(1)} s` },
    { what: 'from the start of two workers until all are planned and answered', value: `${planSeconds.toFixed(1)} s` },
    { what: `one INSERT beside ${manySchedules}: planned and answered, median`, value: `${quantile(answers, 0.5).toFixed(3)} s` },
    {
      what: `one INSERT beside ${manySchedules}: planned and answered, longest of ${inserts}`,
      value: `${Math.max(...answers).toFixed(3)} s`,
    },
  ]
}

/**
 * 10,000 schedules, of which 1,000 fire at the same second, and two worker processes: seconds from that moment until all are queued and until
 * all have started; what planner and dispatcher cost while nothing is due; beside it pg_cron with 1,000 rows at the same minute.
 */
import { eventually } from '../helpers/engine.ts'
import type { Bench, BenchDatabase, BenchServer, Measurement } from './bench-server.ts'
import { cpuShare, withChildren } from './cpu-share.ts'
import { allPlanned, endAll, insertMany, manySchedules, startTwoWorkers } from './many-schedules.ts'
import { measurePgCron } from './pg-cron.ts'

const due = 1000
const idleSeconds = 40
const secondsAhead = 20

export const burst: Bench = async (server, say) => {
  const database = await server.migrated()
  await insertMany(database)
  const workers = await startTwoWorkers(database)
  try {
    const idle = await measureIdle(
      server,
      workers.flatMap((worker) => worker.process.pid ?? []),
    )
    say(`burst: ${JSON.stringify(idle)}`)
    const ours = await measureBurst(database)
    say(`burst: ${JSON.stringify(ours)}`)
    const pgCron = await measurePgCron(due, say)
    const figures: Measurement[] = [
      { what: `two workers idle beside ${manySchedules} schedules`, value: `${(idle.workers * 100).toFixed(1)} % of a core` },
      { what: 'their Postgres', value: `${(idle.postgres * 100).toFixed(1)} % of a core` },
      { what: `${due} due at one second: all queued after`, value: `${ours.queued.toFixed(2)} s` },
      {
        what: `${due} due at one second: all started after`,
        value: `${ours.started.toFixed(2)} s`,
        ...(pgCron === null ? {} : { ratio: `${(ours.started / pgCron).toFixed(2)} of pg_cron` }),
      },
      { what: `${due} due at one second: lost, started twice`, value: `${ours.lost}, ${ours.doubled}` },
      ...(pgCron === null ? [] : [{ what: `pg_cron, ${due} rows due at one minute: all started after`, value: `${pgCron.toFixed(2)} s` }]),
    ]
    return figures
  } finally {
    await endAll(workers)
  }
}

async function measureIdle(server: BenchServer, pids: number[]): Promise<{ workers: number; postgres: number }> {
  const [workers, postgres] = await Promise.all([cpuShare(() => pids, idleSeconds), cpuShare(() => withChildren(server.pid), idleSeconds)])
  return { workers, postgres }
}

interface Burst {
  queued: number
  started: number
  lost: number
  doubled: number
}

async function measureBurst(database: BenchDatabase): Promise<Burst> {
  const { pool } = database
  const { rows } = await pool.query<{ fire_at: Date }>(
    `with moment as (select date_trunc('second', clock_timestamp() + make_interval(secs => $2)) as at),
     chosen as (select schedule_id from dba.scheduler order by schedule_id limit $1)
     update dba.scheduler s set cron = to_char(at at time zone 'UTC', 'FMSS FMMI FMHH24 * * *') from moment, chosen
     where s.schedule_id = chosen.schedule_id returning at as fire_at`,
    [due, secondsAhead],
  )
  const fireAt = rows[0]?.fire_at
  await allPlanned(database)
  await eventually(
    async () =>
      (await pool.query(`select count(*)::integer as done from dba.run where scheduled_for = $1 and state = 'succeeded'`, [fireAt])).rows,
    ([row]) => row?.done === due,
    60,
  )
  const { rows: found } = await pool.query<Burst>(
    `select extract(epoch from max(queued_at) - $1)::float8 as queued, extract(epoch from max(started_at) - $1)::float8 as started,
       $2::integer - count(*)::integer as lost, count(*) filter (where (select count(*) from dba.attempt a where a.run_id = r.run_id) > 1)::integer as doubled
     from dba.run r where scheduled_for = $1 and state = 'succeeded'`,
    [fireAt, due],
  )
  const [row] = found
  if (row === undefined) throw new Error('nothing fired')
  return row
}

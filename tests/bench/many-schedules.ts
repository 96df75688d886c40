import { eventually } from '../helpers/engine.ts'
import { kill } from '../helpers/launch.ts'
import { startWorkerProcess, type WorkerProcess } from '../helpers/worker-process.ts'
import type { BenchDatabase } from './bench-server.ts'

export const manySchedules = 10_000

/** 10,000 schedules that fire once a day, spread over all minutes of the next day but the coming hour's, so that a bench sees none of them fire. */
export async function insertMany({ pool }: BenchDatabase): Promise<void> {
  await pool.query(
    `insert into dba.scheduler (schedule_name, job, cron)
     select 'daily ' || n, 'noop', format('%s %s * * *', n % 60, extract(hour from now() at time zone 'UTC' + make_interval(hours => 2 + n % 21)))
     from generate_series(1, $1) n`,
    [manySchedules],
  )
}

/** Two worker processes; returns once all schedules are planned and answered. */
export async function startTwoWorkers(database: BenchDatabase): Promise<WorkerProcess[]> {
  const workers = await Promise.all([startWorkerProcess(database), startWorkerProcess(database)])
  await allPlanned(database)
  return workers
}

export async function allPlanned({ pool }: BenchDatabase): Promise<void> {
  await eventually(
    async () =>
      (
        await pool.query(
          `select from dba.scheduler s join dba.plan p using (schedule_id) where config_state = 'unchecked' or p.planned_version is distinct from s.version limit 1`,
        )
      ).rows,
    (rows) => rows.length === 0,
    300,
  )
}

export async function endAll(workers: WorkerProcess[]): Promise<void> {
  await Promise.all(workers.map((worker) => kill(worker.process)))
}

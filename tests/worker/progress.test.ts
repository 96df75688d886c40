import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { defineJob } from '../../src/job/define-job.ts'
import { freshDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/engine.ts'
import { declareJobs, startOwnWorker } from '../helpers/own-jobs.ts'

test('progress is written at most once a second, however often a job tells it', async (t) => {
  const database = await freshDatabase(t)
  await database.query('create table public.written (at timestamptz default clock_timestamp(), progress real, note text)')
  await database.query(`create function public.note() returns trigger language plpgsql security definer as $$ begin
    insert into public.written (progress, note) values (new.progress, new.progress_note); return null; end $$`)
  await database.query(`create trigger note after update on dba.run for each row
    when (new.state = 'running' and (new.progress, new.progress_note) is distinct from (old.progress, old.progress_note)) execute function public.note()`)
  const busy = defineJob({
    name: 'busy',
    config: (row) => row,
    async run({ progress }) {
      for (let step = 0; step <= 230; step++) {
        progress(step / 200, `step ${step}`)
        await pause(10)
      }
      return {}
    },
  })
  await declareJobs(database.query, [busy])
  const worker = await startOwnWorker({ ...database, jobs: [busy] })
  t.after(() => worker.stop(0))
  await database.query(`insert into dba.scheduler (schedule_name, job) values ('a', 'busy')`)
  await database.query(`insert into dba.run (schedule_name) values ('a')`)
  await eventually(() => database.query(`select from dba.run where state = 'succeeded'`))
  const written = await database.query<{ gap: number | null; progress: number; note: string }>(
    'select extract(epoch from at - lag(at) over (order by at))::float8 as gap, progress, note from public.written order by at',
  )
  assert.ok(written.length >= 2, `${written.length} writes`)
  assert.equal(written[0]?.note, 'step 0')
  // Sent a second apart; a statement may take its time.
  for (const { gap } of written) assert.ok(gap === null || gap > 0.9, `${gap} s after the one before`)
  for (const { progress } of written) assert.ok(progress >= 0 && progress <= 1)
  assert.deepEqual(await database.query('select progress from dba.run'), [{ progress: 1 }])
})

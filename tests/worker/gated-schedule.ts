import type { Query } from '../helpers/database.ts'
import { declareJobs } from '../helpers/own-jobs.ts'
import { processJobs } from './process-jobs.ts'

/** Schedule "a" of job gated, with the tables it needs: public.effect, that it writes, and public.gate, that lets it commit. */
export async function gatedSchedule(query: Query): Promise<void> {
  await declareJobs(query, processJobs)
  await query('create table public.effect (run_id uuid, attempt integer)')
  await query('create table public.gate (is_open boolean)')
  await query('grant all on public.effect, public.gate to rota_worker')
  await query(`insert into dba.scheduler (schedule_name, job) values ('a', 'gated')`)
}

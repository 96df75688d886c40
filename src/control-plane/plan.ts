/** Asks the database to turn schedules into planned runs. What fires when is decided there (dba.plan_due and its neighbours), never here. */
import type { Pool } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'

/** Schedules planned in one transaction. */
const batchSize = 100

/**
 * Plans what needs it.
 *
 * @param lookAtAll also finds schedules that were edited or whose planned fires people took out; without it only those whose next fires run out.
 * @param onFault told when a schedule could not be planned; the others are, and it is tried again.
 * @param betweenBatches what must not wait until thousands are planned.
 * @returns how many schedules were planned.
 */
export async function planSchedules(
  pool: Pool,
  lookAtAll: boolean,
  onFault: (error: Error) => void,
  betweenBatches: () => Promise<unknown> = async () => undefined,
): Promise<number> {
  const planned = new Set<number>()
  for (;;) {
    const { rows } = await pool.query<{ schedule_id: number; failure: string | null }>({
      name: 'plan-due',
      text: 'select schedule_id, failure from dba.plan_due($1, $2)',
      values: [batchSize, lookAtAll],
    })
    const before = planned.size
    for (const { schedule_id, failure } of rows) {
      planned.add(schedule_id)
      if (failure !== null) onFault(notPlanned(schedule_id, failure))
    }
    // In a statement of its own: it leaves out rows that somebody holds open, and must not hold up the plan.
    if (rows.length > 0) await answerFires(pool, `$1`, [rows.map((row) => row.schedule_id)])
    // One that cannot be planned at this moment comes again; it is not waited for here.
    if (rows.length < batchSize || planned.size === before) break
    await betweenBatches()
  }
  if (lookAtAll) await answerFires(pool, 'array(select dba.unanswered_fires())')
  return planned.size
}

async function answerFires(pool: Pool, which: string, values: unknown[] = []): Promise<void> {
  await pool.query({ name: `answer-fires ${which}`, text: `select dba.answer_fires(${which})`, values })
}

function notPlanned(scheduleId: number, failure: string): JobError {
  return new JobError('schedule_not_planned', `Schedule ${scheduleId} could not be planned: ${failure}`, {
    hint: `Look at its row: select * from dba.scheduler where schedule_id = ${scheduleId}. It is tried again every minute; the others are planned.`,
  })
}

/** Makes the runs of schedules that run for ever or after others. Cheap: it looks only at those. */
export async function planReactions(pool: Pool): Promise<void> {
  await pool.query({ name: 'plan-always', text: 'select dba.plan_always()' })
  await pool.query({
    name: 'end-skips',
    text: `
      update dba.run set finished_at = clock_timestamp()
      where run_id in (
        select run_id from dba.run where state = 'skipped' and finished_at is null and due_at <= statement_timestamp() for no key update skip locked)`,
  })
  await pool.query({ name: 'plan-after', text: 'select dba.plan_after()' })
  await pool.query({ name: 'plan-retries', text: 'select dba.plan_retries()' })
}

/** Takes the coming fires of deleted schedules out of the ledger. */
export async function forgetDeletedSchedules(pool: Pool): Promise<void> {
  await pool.query('select dba.forget_deleted_schedules()')
}

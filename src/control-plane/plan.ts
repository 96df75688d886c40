/** Asks the database to turn schedules into planned runs. What fires when is decided there (dba.plan_due and its neighbours), never here. */
import type { Pool } from 'pg'

/** Schedules planned in one transaction. */
const batchSize = 100

/**
 * Plans what needs it.
 *
 * @param lookAtAll also finds schedules that were edited, deleted or that wait for others; without it only those whose next fires run out.
 * @returns how many schedules were planned.
 */
export async function planSchedules(pool: Pool, lookAtAll: boolean): Promise<number> {
  const planned = new Set<number>()
  for (;;) {
    const { rows } = await pool.query<{ plan_due: number }>({
      name: 'plan-due',
      text: 'select dba.plan_due($1, $2)',
      values: [batchSize, lookAtAll],
    })
    for (const row of rows) planned.add(row.plan_due)
    if (rows.length > 0) {
      // In a statement of its own: it leaves out rows that somebody holds open, and must not hold up the plan.
      await pool.query({ name: 'answer-fires', text: 'select dba.answer_fires($1)', values: [rows.map((row) => row.plan_due)] })
    }
    if (rows.length < batchSize) break
  }
  return planned.size
}

/** Makes the runs of schedules that run for ever or after others. Cheap: it looks only at those. */
export async function planReactions(pool: Pool): Promise<void> {
  await pool.query({ name: 'plan-always', text: 'select dba.plan_always()' })
  await pool.query({
    name: 'end-skips',
    text: `update dba.run set finished_at = clock_timestamp() where state = 'skipped' and finished_at is null and due_at <= clock_timestamp()`,
  })
  await pool.query({ name: 'plan-after', text: 'select dba.plan_after()' })
  await pool.query({ name: 'plan-retries', text: 'select dba.plan_retries()' })
}

/** Takes the coming fires of deleted schedules out of the ledger. */
export async function forgetDeletedSchedules(pool: Pool): Promise<void> {
  await pool.query('select dba.forget_deleted_schedules()')
}

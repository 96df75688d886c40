import { PermanentError } from '../../../systemscripts/errors.ts'
import type { Command } from '../command.ts'
import { findRun, looksLikeRunId } from '../find-run.ts'
import { type Database, withDatabase } from '../open-database.ts'
import { printMessage } from '../print-rows.ts'

export const cancel: Command = {
  name: 'cancel',
  words: ['<run|schedule>'],
  summary: 'Stop a run, or every open run of a schedule; ends retries, too.',
  options: {
    reason: { value: 'text', summary: 'Why; stands in the run.' },
    json: { summary: 'Print one JSON object a run instead of text.' },
  },
  async run(call) {
    const word = call.words[0] ?? ''
    await withDatabase(call, async (database) => {
      const runIds = looksLikeRunId(word) ? [await findRun(database, word)] : await openRuns(database, word)
      for (const runId of runIds) {
        const [row] = await database.query<{ said: string }>('select dba.cancel($1, $2) as said', [runId, call.text('reason') ?? null])
        printMessage(call, row?.said ?? '', { run_id: runId })
      }
    })
    return 0
  },
}

/** Running, queued, waiting, and due but not yet taken; fires that are still to come stay. */
async function openRuns({ query }: Database, scheduleName: string): Promise<string[]> {
  const rows = await query<{ run_id: string }>(
    `select run_id from dba.recent_run where schedule_name = $1 and state = 'running'
     union all
     select run_id from dba.next_run where schedule_name = $1 and (state <> 'planned' or due_at <= now())`,
    [scheduleName],
  )
  if (rows.length > 0) return rows.map(({ run_id }) => run_id)
  await query('select dba.find_schedule($1)', [scheduleName])
  throw new PermanentError('nothing_to_cancel', `Schedule "${scheduleName}" has no open run`, {
    hint: 'To take a coming fire out: rota next, then rota cancel <run>. To stop it from firing: rota pause.',
  })
}

import { type Command, jsonOption } from '../command.ts'
import { findRun } from '../find-run.ts'
import { withDatabase } from '../open-database.ts'
import { printMessage } from '../print-rows.ts'

export const rerun: Command = {
  name: 'rerun',
  words: ['<run>'],
  summary: 'Run again what ran before, with the same args; does not wait for the end.',
  options: { reason: { value: 'text', summary: 'Why; stands in the run.' }, json: jsonOption },
  async run(call) {
    await withDatabase(call, async (database) => {
      const runId = await findRun(database, call.words[0] ?? '')
      const [row] = await database.query<{ run_id: string }>('select dba.rerun($1, $2) as run_id', [runId, call.text('reason') ?? null])
      const asked = row?.run_id ?? ''
      printMessage(call, `Run ${asked} was asked for.`, { run_id: asked })
    })
    return 0
  },
}

import { resolve } from 'node:path'
import { readDryRun, requestDryRun, requestImport } from '../../control-plane/dry-runs.ts'
import { carryOutRun, reportRun } from '../carry-out-run.ts'
import { type Command, jsonOption, WrongCommandLine } from '../command.ts'
import { printDryRun } from '../dry-run.ts'
import { withDatabase } from '../open-database.ts'

export const importFile: Command = {
  name: 'import',
  words: ['<file>'],
  summary: 'Load one file by an import config and follow it; exit code 0 when it is loaded, else 1.',
  description: [
    'rota import prices.xlsx --config prices --dry-run',
    'rota import prices.xlsx --config prices',
    '',
    'Needs no schedule. The file is taken as if it had arrived in the source folder, so once loaded it lies in the archive.',
    'With --dry-run nothing is written and the file stays: it says which columns would be added, how many rows would be inserted, updated or',
    "refused, and shows up to twenty of each. The same by SQL: select dba.request_dry_run('prices', '/path/prices.xlsx').",
  ].join('\n'),
  options: {
    config: { value: 'name', summary: 'Row of dba.importconfig; required.' },
    'dry-run': { summary: 'Say what would happen, and write nothing.' },
    reason: { value: 'text', summary: 'Why; stands in the run.' },
    json: { ...jsonOption, summary: 'Print the outcome as one JSON object instead of the log.' },
  },
  async run(call) {
    const config = call.text('config')
    if (config === undefined) {
      throw new WrongCommandLine('wrong_words', 'Option "--config" is missing', {
        hint: 'Name a row of dba.importconfig: rota import prices.xlsx --config prices',
      })
    }
    const file = resolve(call.words[0] ?? '')
    return withDatabase(call, async (database) => {
      if (!call.has('dry-run')) {
        return reportRun(call, await carryOutRun(call, database, await requestImport(database, config, file, call.text('reason') ?? null)))
      }
      const { dryRunId, runId } = await requestDryRun(database, config, file)
      const ended = await carryOutRun(call, database, runId)
      if (ended.state !== 'succeeded') return reportRun(call, ended)
      return printDryRun(call, await readDryRun(database, dryRunId))
    })
  },
}

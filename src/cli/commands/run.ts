import { carryOutRun, reportRun } from '../carry-out-run.ts'
import { type Call, type Command, jsonOption, WrongCommandLine } from '../command.ts'
import { type Database, withDatabase } from '../open-database.ts'

export const run: Command = {
  name: 'run',
  words: ['<schedule>'],
  summary: 'Run a schedule now and follow it; exit code 0 when it succeeded, else 1.',
  description: [
    'rota run "meetmax import" --args \'{"header_row": 3}\' --reason "corrected file"',
    '',
    'The run goes through the same queue as any other; when no live worker takes part in its lane, one is started here for it alone.',
    'Ctrl-C cancels the run; once more leaves it to itself.',
  ].join('\n'),
  options: {
    args: { value: 'json', summary: 'Overrides for this run, a JSON object.' },
    reason: { value: 'text', summary: 'Why; stands in the run.' },
    json: { ...jsonOption, summary: 'Print the outcome as one JSON object instead of the log.' },
  },
  async run(call) {
    const args = argsIn(call)
    return withDatabase(call, async (database) => {
      const runId = await request(database, call.words[0] ?? '', args, call.text('reason') ?? null)
      return reportRun(call, await carryOutRun(call, database, runId))
    })
  },
}

function argsIn(call: Call): Record<string, unknown> {
  const text = call.text('args')
  if (text === undefined) return {}
  try {
    const args: unknown = JSON.parse(text)
    if (typeof args === 'object' && args !== null && !Array.isArray(args)) return { ...args }
  } catch {
    // said below
  }
  throw new WrongCommandLine('wrong_words', 'Option "--args" is no JSON object', {
    detail: `It is ${text}`,
    hint: `Write it in single quotes: --args '{"header_row": 3}'`,
  })
}

async function request({ query }: Database, schedule: string, args: Record<string, unknown>, reason: string | null): Promise<string> {
  const [row] = await query<{ run_id: string }>('select dba.run_now($1, $2, $3) as run_id', [schedule, JSON.stringify(args), reason])
  return row?.run_id ?? ''
}

import { checkDatabase } from '../check-database.ts'
import { checkMachine } from '../check-machine.ts'
import { type Command, jsonOption } from '../command.ts'
import type { Finding } from '../finding.ts'
import type { Output } from '../output.ts'
import { plain } from '../print-table.ts'

export const check: Command = {
  name: 'check',
  summary: 'Look whether everything is as it should be; starts and changes nothing. Exit code 1 when something is wrong.',
  description: [
    'Environment, folders and key file; the connection, its roles, the schema; the jobs; the secrets; and what workers',
    'answered at schedules and connections. For what happens at run time: rota problems.',
  ].join('\n'),
  options: { json: jsonOption },
  async run(call) {
    const findings = [...(await checkMachine(call)), ...(await checkDatabase(call))]
    if (call.has('json')) call.out.line(JSON.stringify(findings, null, 2))
    else for (const finding of findings) printFinding(call.out, finding)
    return findings.some(({ state }) => state === 'wrong') ? 1 : 0
  },
}

function printFinding(out: Output, { state, what, message, detail, hint }: Finding): void {
  out.line(plain(`${state.padEnd(5)}  ${what.padEnd(nameWidth)}  ${message}`))
  for (const more of [detail, hint]) if (more) out.line(plain(`${' '.repeat(nameWidth + 9)}${more}`))
}

const nameWidth = 16

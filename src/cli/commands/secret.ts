import { type Call, type Command, jsonOption, WrongCommandLine } from '../command.ts'
import { momentText, zoneHere } from '../moments.ts'
import { withSecrets } from '../open-secrets.ts'
import { printRows } from '../print-rows.ts'
import { readSecret } from '../read-input.ts'

export const secret: Command = {
  name: 'secret',
  words: ['<set|list|remove>', '[name]'],
  summary: 'Keep passwords, encrypted, for dba.connection.secret_name to name.',
  description: [
    'rota secret set smtp_main              asks for it and shows nothing',
    'rota secret set smtp_main < file       takes it from the standard input',
    'rota secret set smtp_main --expires 2027-01-31    somebody is told before that day',
    'rota secret list                       names only, and who uses them',
    'rota secret remove smtp_main',
    '',
    'A secret is never taken from the command line, where other users of the machine could read it.',
  ].join('\n'),
  options: { expires: { value: 'when', summary: 'Day or moment from which on the secret is of no use: 2027-01-31.' }, json: jsonOption },
  async run(call) {
    const [action = '', name] = call.words
    if (action === 'list' && name === undefined) return list(call)
    if (action === 'set' && name !== undefined) return set(call, name)
    if (action === 'remove' && name !== undefined) return remove(call, name)
    throw new WrongCommandLine('wrong_words', `"rota secret ${call.words.join(' ')}" is not understood`, {
      hint: 'Usage: rota secret set <name>, rota secret list, rota secret remove <name>.',
    })
  },
}

async function set(call: Call, name: string): Promise<number> {
  const expiresAt = expiryOf(call.text('expires'))
  const value = await readSecret(call.deps.stdin, call.err, `Secret "${name}": `)
  await withSecrets(call, (secrets) => secrets.set(name, value, expiresAt))
  call.out.line(`Secret "${name}" is set${expiresAt === null ? '' : `; it expires at ${momentText(expiresAt)}`}.`)
  return 0
}

function expiryOf(written: string | undefined): Date | null {
  if (written === undefined) return null
  const moment = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?$/.test(written)
    ? new Date(written.length === 10 ? `${written} 00:00` : written)
    : null
  if (moment !== null && moment.getTime() > Date.now()) return moment
  throw new WrongCommandLine('wrong_words', `--expires "${written}" is no day to come`, {
    hint: 'Write it as 2027-01-31, or 2027-01-31 12:00.',
  })
}

async function list(call: Call): Promise<number> {
  const rows = await withSecrets(call, (secrets) => secrets.list())
  printRows(
    call,
    rows,
    [
      { title: 'name', text: ({ secret_name }) => secret_name },
      { title: `set (${zoneHere()})`, text: ({ updated_at }) => momentText(updated_at) },
      { title: 'expires', text: ({ expires_at }) => momentText(expires_at) },
      { title: 'by', text: ({ updated_by }) => updated_by },
      { title: 'used by', text: ({ used_by }) => used_by.join(', ') },
    ],
    'No secret.',
  )
  return 0
}

async function remove(call: Call, name: string): Promise<number> {
  await withSecrets(call, (secrets) => secrets.remove(name))
  call.out.line(`Secret "${name}" is removed.`)
  return 0
}

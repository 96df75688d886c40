import { loginRoles, loginUrl } from '../../control-plane/logins.ts'
import { type Command, jsonOption, WrongCommandLine } from '../command.ts'
import { nearestWord } from '../nearest-word.ts'
import { withSecrets } from '../open-secrets.ts'
import { formatTable } from '../print-table.ts'

export const url: Command = {
  name: 'url',
  words: ['[role]'],
  summary: 'Addresses to log in with, by role; with a role its address alone.',
  description: 'For DBeaver, psql and others: psql "$(rota url rota_reader)". The addresses hold passwords.',
  options: { json: jsonOption },
  async run(call) {
    const [word] = call.words
    const roles = word === undefined ? peopleRoles : [roleOf(word)]
    const addresses = await withSecrets(call, async (secrets, base) => {
      const found: { role: string; url: string }[] = []
      for (const role of roles) found.push({ role, url: loginUrl(base, role, await secrets.get(`login.${role}`)) })
      return found
    })
    if (call.has('json')) call.out.line(JSON.stringify(Object.fromEntries(addresses.map(({ role, url }) => [role, url])), null, 2))
    else if (word !== undefined) call.out.line(addresses[0]?.url)
    else {
      const lines = formatTable(addresses, [
        { title: 'role', text: ({ role }) => role },
        { title: 'address', text: ({ url }) => url },
      ])
      for (const line of lines) call.out.line(line)
    }
    return 0
  },
}

/** The logins that people use. */
const peopleRoles = loginRoles.filter((role) => role === 'rota_dba' || role === 'rota_operator' || role === 'rota_reader')

function roleOf(word: string): (typeof loginRoles)[number] {
  const role = loginRoles.find((known) => known === word || known === `rota_${word}`)
  if (role !== undefined) return role
  const near = nearestWord(word, loginRoles)
  throw new WrongCommandLine('unknown_role', `Nobody logs in as "${word}"`, {
    detail: `The logins of Rota are ${loginRoles.join(', ')}.`,
    hint: near === null ? 'Name one of them.' : `Did you mean "${near}"?`,
  })
}

import { ensureLogins, type LoginAnswer } from '../control-plane/logins.ts'
import { migrate } from '../db/migrate.ts'
import { openPool } from '../db/open.ts'
import type { Call } from './command.ts'
import { secretsOver } from './open-secrets.ts'

/**
 * Brings a database to where a worker can start: roles and schema, the message queue, passwords of the logins. Every step may be done any
 * number of times; several processes may come here at once.
 *
 * @param url a login that may make roles; see migrate.
 */
export async function prepareDatabase(call: Call, url: string): Promise<void> {
  const { applied, already } = await migrate(url, { log: (line) => call.out.line(line) })
  if (applied.length === 0) call.out.line(`The schema is up to date (${already} ${already === 1 ? 'migration' : 'migrations'}).`)
  await call.deps.installQueue(url)
  const pool = openPool(url, { applicationName: 'rota migrate', max: 1 })
  try {
    sayLogins(call, await ensureLogins(pool, await secretsOver(call, pool)))
  } finally {
    await pool.end()
  }
}

function sayLogins({ out }: Call, answers: LoginAnswer[]): void {
  const fresh = answers.filter(({ state }) => state === 'set').map(({ role }) => role)
  if (fresh.length > 0) out.line(`Passwords were made for ${fresh.join(', ')}: "npx rota url" shows the addresses.`)
  const others = answers.filter(({ state }) => state !== 'set' && state !== 'kept')
  // what holds for one mostly holds for all, and is said once
  const groups = Map.groupBy(others, ({ role, message }) => message.replaceAll(role, ''))
  for (const [first, ...same] of groups.values()) {
    if (first === undefined) continue
    out.line(same.length === 0 ? first.message : `${first.message} The same holds for ${same.map(({ role }) => role).join(', ')}.`)
  }
}

import { ensureLogins } from '../control-plane/logins.ts'
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
    for (const { state, message } of await ensureLogins(pool, await secretsOver(call, pool))) if (state !== 'kept') call.out.line(message)
  } finally {
    await pool.end()
  }
}

import { createRedactor } from '../../systemscripts/redact.ts'
import { createSecrets, openSecretKey, type Queryable, type Secrets } from '../control-plane/secrets.ts'
import { openPool } from '../db/open.ts'
import type { Call } from './command.ts'
import { findAddress, requireSchema } from './open-database.ts'

/**
 * The secrets of the database a command speaks to, through a session that acts as rota_worker, since nobody else may read dba.secret.
 *
 * @throws PermanentError `no_database`, `not_migrated`; what Postgres says when the login may not become rota_worker
 */
export async function withSecrets<T>(call: Call, work: (secrets: Secrets, url: string) => Promise<T>): Promise<T> {
  const { url } = await findAddress(call.config())
  const pool = openPool(url, { role: 'rota_worker', applicationName: 'rota command line', max: 1 })
  try {
    await requireSchema(async (text) => (await pool.query<Record<string, unknown>>(text)).rows)
    return await work(await secretsOver(call, pool), url)
  } finally {
    await pool.end()
  }
}

/** The secrets as this machine's key opens them. */
export async function secretsOver(call: Call, db: Queryable): Promise<Secrets> {
  const config = call.config()
  return createSecrets({ db, key: await openSecretKey(config), redactor: createRedactor(), env: call.deps.env, dataDir: config.dataDir })
}

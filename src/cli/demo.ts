import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { PoolClient } from 'pg'
import { hasEverWritten } from '../control-plane/overview.ts'
import { openPool } from '../db/open.ts'
import type { Call } from './command.ts'

/**
 * Puts the demo in: the files of onboarding/demo into `<data folder>/demo/inbox`, and the rows of onboarding/sql/demo.sql, written by
 * rota_dba as a person would. Once per database: what a person deletes or changes afterwards stays so. The files are there before the rows
 * are, and both or neither after a kill.
 *
 * @param url a login that may become rota_dba.
 */
export async function loadDemoOnce(call: Call, url: string): Promise<void> {
  const pool = openPool(url, { role: 'rota_dba', applicationName: application, max: 1 })
  try {
    const client = await pool.connect()
    try {
      await client.query('begin')
      // two starts on one database, from different folders
      await client.query('select pg_advisory_xact_lock(hashtext($1))', [application])
      const isNew = !(await isLoaded(client))
      if (isNew) {
        await copyFiles(join(call.config().dataDir, 'demo', 'inbox'))
        await client.query(await readFile(new URL('sql/demo.sql', onboarding), 'utf8'))
      }
      await client.query('commit')
      if (isNew) call.out.line('The demo is in: four imports into schema demo. ROTA_DEMO=off keeps it out of a new database.')
    } finally {
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}

/** Stands in dba.configaudit beside every row that the demo wrote. */
const application = 'rota demo'

const onboarding = new URL('../../onboarding/', import.meta.url)

function isLoaded(client: PoolClient): Promise<boolean> {
  return hasEverWritten({ query: async (text, values) => (await client.query(text, values)).rows }, application)
}

/** Each into the folder of its name: orders.xlsx into orders/. */
async function copyFiles(inbox: string): Promise<void> {
  const demo = new URL('demo/', onboarding)
  for (const name of await readdir(demo)) {
    if (!/[.](csv|xlsx?)$/.test(name)) continue
    const folder = join(inbox, parse(name).name)
    await mkdir(folder, { recursive: true })
    await copyFile(new URL(name, demo), join(folder, name))
  }
}

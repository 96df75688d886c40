import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { PoolClient } from 'pg'
import { type EventSite, ownerHeader, serveEventSite } from '../../onboarding/demo/site/serve.ts'
import { type DemoSite, findDemoSite, moveDemoSite } from '../control-plane/demo-site.ts'
import { hasEverWritten } from '../control-plane/overview.ts'
import { openPool } from '../db/open.ts'

export interface DemoPlace {
  /** A login that may become rota_dba. */
  url: string
  dataDir: string
  /** Tells people what is there. */
  say: (line: string) => void
}

/**
 * Puts the demo in: the files of onboarding/demo into `<data folder>/demo/inbox`, its mails into `<data folder>/demo/mail`, and the rows of onboarding/sql/demo.sql, written by
 * rota_dba as a person would. Once per database: what a person deletes or changes afterwards stays so. The files are there before the rows
 * are, and both or neither after a kill.
 *
 * Serves the demo's web site from this process too, as long as a row scrapes it and no other process serves it for this database.
 *
 * @returns the site, to be closed by the caller; null when it is not served here
 */
export async function startDemo({ url, dataDir, say }: DemoPlace): Promise<EventSite | null> {
  const pool = openPool(url, { role: 'rota_dba', applicationName: application, max: 1 })
  let site: EventSite | null = null
  try {
    const client = await pool.connect()
    try {
      await client.query('begin')
      // two starts on one database, from different folders
      await client.query('select pg_advisory_xact_lock(hashtext($1))', [application])
      const isNew = !(await isLoaded(client))
      if (isNew) await load(client, { inbox: join(dataDir, 'demo', 'inbox'), mailbox: join(dataDir, 'demo', 'mail') })
      site = await openSite(client)
      await client.query('commit')
      if (isNew)
        say(
          'The demo is in: files, mails and a web site, loaded into schema demo within a minute. ROTA_DEMO=off keeps it out of a new database.',
        )
      if (isNew) say('Where it all came from: select * from dba.trace order by at')
      if (site !== null) say(`The demo’s web site is at ${site.origin}`)
      return site
    } finally {
      client.release(true)
    }
  } catch (error) {
    await site?.close()
    throw error
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

async function load(client: PoolClient, { inbox, mailbox }: { inbox: string; mailbox: string }): Promise<void> {
  await copyFiles(inbox)
  await cp(new URL('demo/mails/', onboarding), mailbox, { recursive: true })
  // where the site's files are downloaded to, and those of the mails are saved
  for (const folder of ['events', 'deliveries']) await mkdir(join(inbox, folder), { recursive: true })
  await client.query(await readFile(new URL('sql/demo.sql', onboarding), 'utf8'))
}

/** On the port that its rows name; where another program has it, on a free one, and the rows follow. */
async function openSite(client: PoolClient): Promise<EventSite | null> {
  const wanted = await findDemoSite(client)
  if (wanted === null || (await isServed(wanted))) return null
  const site = await serveEventSite(Number(new URL(wanted.origin).port), wanted.owner)
  if (site.origin === wanted.origin) return site
  try {
    await moveDemoSite(client, wanted.origin, site.origin)
    return site
  } catch (error) {
    await site.close()
    throw error
  }
}

async function isServed({ origin, owner }: DemoSite): Promise<boolean> {
  try {
    const answer = await fetch(`${origin}/robots.txt`, { signal: AbortSignal.timeout(1000) })
    await answer.body?.cancel()
    return answer.headers.get(ownerHeader) === owner
  } catch {
    return false
  }
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

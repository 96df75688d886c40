/** Where the demo's web site is, as its rows say. */
import type { PoolClient } from 'pg'

export interface DemoSite {
  /** `http://127.0.0.1:4187` */
  origin: string
  /** Tells the sites of two databases on one machine apart. */
  owner: string
}

/** Null when nobody scrapes it any more. */
export async function findDemoSite(client: PoolClient): Promise<DemoSite | null> {
  const { rows } = await client.query<DemoSite>(
    `select substring(start_url from '^http://127[.]0[.]0[.]1:[0-9]+') as origin,
            md5(coalesce((select value::text from dba.setting where name = 'home'), current_database())) as owner
     from dba.scrapeconfig
     where config_name = 'demo events' and start_url ~ '^http://127[.]0[.]0[.]1:[0-9]+/'`,
  )
  return rows[0] ?? null
}

/** The site stands elsewhere now, since its port was taken. */
export async function moveDemoSite(client: PoolClient, from: string, to: string): Promise<void> {
  await client.query(
    `update dba.scrapeconfig
     set start_url = replace(start_url, $1, $2), file_url = replace(file_url, $1, $2)
     where config_name = 'demo events'`,
    [from, to],
  )
  await client.query('update dba.scrapehost set host = $2 where host = $1', [new URL(from).host, new URL(to).host])
}

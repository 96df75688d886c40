/** Whoever reads the tables of a storm all the time: he sees the old rows or the new ones, never half. */
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'

/** For each table what one reader sees of a label that is replaced as a whole: rows of one file, and as many as that had. */
const halves: Record<string, string> = {
  site_books: `select site, count(*) as rows, count(distinct token) as files, max("of"::integer) as "of" from storm.site_books group by site`,
  whole_table: `select 'all' as site, count(*) as rows, count(distinct token) as files, max("of"::integer) as "of" from storm.whole_table having count(*) > 0`,
}

/** Looks until `signal`. @returns what was half, in words */
export async function watchTables(url: string, signal: AbortSignal): Promise<{ looks: number; violations: string[] }> {
  const violations: string[] = []
  let looks = 0
  const isNonEmptySince = new Set<string>()
  while (!signal.aborted) {
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      while (!signal.aborted) {
        for (const [table, text] of Object.entries(halves)) await look(client, table, text)
        await pause(20)
      }
    } catch {
      // The server is away.
      await pause(200)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  return { looks, violations }

  async function look(client: Client, table: string, text: string): Promise<void> {
    const { rows: there } = await client.query<{ is_there: boolean }>(`select to_regclass($1) is not null as is_there`, [`storm.${table}`])
    if (there[0]?.is_there !== true) return
    const { rows } = await client.query<{ site: string; rows: string; files: string; of: number }>(text)
    looks += 1
    for (const row of rows) {
      isNonEmptySince.add(`${table} ${row.site}`)
      if (Number(row.files) !== 1 || Number(row.rows) !== row.of)
        violations.push(`readers see the old rows or the new ones: ${table} ${JSON.stringify(row)}`)
    }
    for (const seen of isNonEmptySince) {
      const [seenTable, site] = seen.split(' ')
      if (seenTable === table && !rows.some((row) => row.site === site)) violations.push(`readers never see nothing: ${seen}`)
    }
  }
}

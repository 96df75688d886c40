import type { Pool } from 'pg'
import type { RobotsCache } from '../../../systemscripts/web/manners/robots.ts'
import { storableText } from '../storable.ts'

/** robots.txt of each site, kept in dba.hoststate for all workers. */
export function createRobotsCache(pool: Pool): RobotsCache {
  return {
    async get(origin) {
      const { rows } = await pool.query<{ robots_kind: 'file' | 'open' | 'away'; robots_text: string | null; robots_at: Date }>(
        'select robots_kind, robots_text, robots_at from dba.hoststate where host = $1 and robots_at is not null',
        [origin],
      )
      const row = rows[0]
      return row === undefined ? null : { kind: row.robots_kind, text: row.robots_text ?? '', fetchedAt: row.robots_at.getTime() }
    },
    async put(origin, { kind, text, fetchedAt }) {
      await pool.query(
        `insert into dba.hoststate (host, robots_kind, robots_text, robots_at) values ($1, $2, $3, $4)
         on conflict (host) do update set robots_kind = excluded.robots_kind, robots_text = excluded.robots_text, robots_at = excluded.robots_at`,
        [origin, kind, storableText(text), new Date(fetchedAt)],
      )
    },
  }
}

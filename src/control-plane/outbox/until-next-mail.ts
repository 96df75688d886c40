import type { Pool } from 'pg'

/** Milliseconds until a mail is due for a worker of these lanes, or a claim lapses at which somebody may have died; at most `longest`. */
export async function untilNextMail(pool: Pool, lanes: string[], longest: number): Promise<number> {
  const { rows } = await pool.query<{ wait: number | null }>(
    `select extract(epoch from min(d.at) - clock_timestamp())::float8 * 1000 as wait
     from (
       select greatest(o.next_try_at, o.claimed_until) as at, o.connection_name from dba.outbox o where o.state in ('rendered', 'resend') and o.next_try_at is not null
       union all
       select o.claimed_until, o.connection_name from dba.outbox o where o.state = 'sending'
     ) d
     left join dba.connection k on k.connection_name = d.connection_name
     where coalesce(k.lane, 'default') = any ($1)`,
    [lanes],
  )
  return Math.min(Math.max(rows[0]?.wait ?? longest, 0), longest)
}

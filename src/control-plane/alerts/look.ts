/** The statements of the watch that workers keep: incidents, disks, and whether all is well. */
import type { Pool } from 'pg'

/** Opens, counts up and closes incidents, unless some worker has just done so. All that stands is looked at every minute, failures and misses at each look. */
export async function lookAfterAlerts(pool: Pool): Promise<void> {
  await pool.query({
    name: 'watch',
    text: `
      select dba.watch(statement_timestamp(), coalesce((select m.moved_at < statement_timestamp() - interval '59 seconds' from dba.watchmark m where m.mark = 'whole'), true))
      where not exists (select from dba.watchmark m where m.mark = 'look' and m.moved_at > statement_timestamp() - interval '4 seconds')`,
  })
}

export interface DiskSeen {
  path: string
  freeBytes: number
  totalBytes: number
}

/** Writes down how full the disks of this machine are. */
export async function writeDisks(pool: Pool, worker: string, host: string, disks: DiskSeen[]): Promise<void> {
  await pool.query(
    `insert into dba.disk as d (host, path, free_bytes, total_bytes, worker)
     select $1, s.path, s."freeBytes", s."totalBytes", $2 from jsonb_to_recordset($3) as s (path text, "freeBytes" bigint, "totalBytes" bigint)
     on conflict (host, path) do update set free_bytes = excluded.free_bytes, total_bytes = excluded.total_bytes, worker = excluded.worker, seen_at = clock_timestamp()`,
    [host, worker, JSON.stringify(disks)],
  )
}

/** Folder of the server's data, where this login may know it and the server is on this machine; else null. */
export async function serverFolder(pool: Pool): Promise<string | null> {
  const { rows } = await pool.query<{ folder: string | null }>(
    `select case when pg_has_role(session_user, 'pg_read_all_settings', 'member') then current_setting('data_directory', true) end as folder`,
  )
  return rows[0]?.folder ?? null
}

/**
 * The address outside that is to be called now, once a minute over all workers, while all is well: this database fires, and no fire has been
 * due for more than a minute in a lane with workers. Null: not now, or nobody wants it.
 */
export async function takeHeartbeat(pool: Pool): Promise<string | null> {
  const { rows } = await pool.query<{ url: string }>({
    name: 'take-heartbeat',
    text: `
      with well as (
        select t.value as url from dba.setting t
        where t.name = 'heartbeat_url' and t.value is not null and dba.is_home()
          and not exists (
            select from dba.run r join dba.scheduler s using (schedule_id)
            where r.state = 'planned' and r.due_at < statement_timestamp() - interval '1 minute' and dba.lane_is_alive(s.lane))
      ), mine as (
        insert into dba.watchmark as m (mark, moved_at, since)
        select 'heartbeat', statement_timestamp(), statement_timestamp() from well
        on conflict (mark) do update set moved_at = excluded.moved_at
        where m.moved_at < excluded.moved_at - interval '55 seconds'
        returning 1
      )
      select w.url from well w, mine`,
  })
  return rows[0]?.url ?? null
}

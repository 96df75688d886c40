/** dba.bookmark: how far a job got. Every move leaves a row in dba.bookmarkhistory (a trigger sees to it). */
import type { ClientBase, Pool } from 'pg'
import type { Bookmarks } from '../job/bookmarks.ts'
import type { JobContext } from '../job/define-job.ts'

interface BookmarkOwner {
  pool: Pool
  transaction: JobContext<unknown>['transaction']
  runId: string
  job: string
  /** Jobs without a config keep their positions under the schedule's name. */
  configName: string
}

export function createBookmarks({ pool, transaction, runId, job, configName }: BookmarkOwner): Bookmarks {
  async function move(client: ClientBase, value: unknown, bookmarkName = 'position'): Promise<void> {
    await client.query(
      `insert into dba.bookmark (job, config_name, bookmark_name, value, run_id, moved_by) values ($1, $2, $3, $4, $5, current_user)
        on conflict (job, config_name, bookmark_name)
        do update set value = excluded.value, run_id = excluded.run_id, reason = null, moved_at = clock_timestamp(), moved_by = excluded.moved_by`,
      [job, configName, bookmarkName, JSON.stringify(value), runId],
    )
  }
  return {
    async read(bookmarkName = 'position') {
      const { rows } = await pool.query<{ value: unknown }>(
        'select value from dba.bookmark where job = $1 and config_name = $2 and bookmark_name = $3',
        [job, configName, bookmarkName],
      )
      return rows[0]?.value ?? null
    },
    move,
    confirmed: (value, bookmarkName) => transaction((client) => move(client, value, bookmarkName)),
  }
}

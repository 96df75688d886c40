import type { Client } from 'pg'

/** Wants a file loaded again that was loaded or has failed. */
export async function actAsPerson(client: Client): Promise<void> {
  await client.query(`
    update dba.file set state = 'retry'
    where file_id = (select file_id from dba.file where state in ('loaded', 'failed') and kept_at is not null order by random() limit 1)`)
}

/** Which mail or page a file came from: dba.messagefile and dba.pagefile. */
import type { Pool } from 'pg'
import type { Origin, ReadableFile, TakenFile } from '../../job/ledgers.ts'

/**
 * A file that this run has taken is tied to where it came from; any other is known by its place. One that got another name than was planned,
 * since that was taken, is known by its bytes until that has been written down.
 */
export async function findOrigin(pool: Pool, file: ReadableFile | TakenFile): Promise<Origin> {
  const { fileId = null, path, sizeBytes } = file
  const byPlace = await look(pool, [fileId, path, sizeBytes, null])
  if (byPlace.mail !== null || byPlace.page !== null || !('hash' in file)) return byPlace
  return await look(pool, [fileId, path, sizeBytes, (await file.hash).sha256])
}

async function look(pool: Pool, values: [number | null, string, number, string | null]): Promise<Origin> {
  const [mails, pages] = [await pool.query<MailRow>(mailQuery, values), await pool.query<PageRow>(pageQuery, values)]
  const [mail, page] = [mails.rows[0], pages.rows[0]]
  return {
    mail: mail === undefined ? null : { subject: mail.subject, sender: mail.sender, sentAt: mail.sent_at },
    page: page === undefined ? null : { address: page.url, id: page.item, fetchedAt: page.planned_at, values: page.page_values ?? {} },
  }
}

interface MailRow {
  subject: string | null
  sender: string | null
  sent_at: Date
}

interface PageRow {
  url: string
  item: string | null
  planned_at: Date
  page_values: Record<string, string | null> | null
}

/** Rows of a ledger that a file may be of, the surest last. $1 file_id or null, $2 path, $3 size_bytes, $4 sha256 or null. */
const candidates = (table: string) => `
  select t.*, 2 as certainty from ${table} t where t.file_id = coalesce($1, (select max(f.file_id) from dba.file f where f.kept_path = $2))
  union all
  select t.*, 1 from ${table} t where $1::bigint is null and t.file_id is null and t.saved_path = $2 and t.size_bytes = $3
  union all
  select t.*, 0 from ${table} t where t.saved_at is null and t.file_id is null and t.sha256 = $4 and t.size_bytes = $3`

const mailQuery = `
  select m.subject, m.sender, coalesce(m.sent_at, m.received_at, m.seen_at) as sent_at
  from (${candidates('dba.messagefile')}) c
  join dba.message m on m.message_id = c.message_id
  order by c.certainty desc, c.planned_at desc
  limit 1`

const pageQuery = `
  select p.url, p.item, c.planned_at, c.page_values
  from (${candidates('dba.pagefile')}) c
  join dba.page p on p.page_id = c.page_id
  order by c.certainty desc, c.planned_at desc
  limit 1`

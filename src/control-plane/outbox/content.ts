/** The bytes of mails, in dba.outboxcontent. */
import { pipeline, Readable } from 'node:stream'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { ClientBase, Pool } from 'pg'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { createBatches } from './batches.ts'

/** A mail as it was composed, read piece by piece. @throws PermanentError `mail_content_gone` */
export function readContent(
  pool: Pick<ClientBase, 'query'>,
  outboxId: number,
  first: FirstPieces = firstPieces(pool),
): AsyncIterable<Buffer> {
  return content(pool, outboxId, first)
}

/** Reads the first piece of a mail; those asked for at the same time by one statement. */
export type FirstPieces = (outboxId: number) => Promise<Map<number, Buffer>>

export function firstPieces(pool: Pick<ClientBase, 'query'>): FirstPieces {
  return createBatches(async (outboxIds: number[]) => {
    const { rows } = await pool.query<{ outbox_id: number; bytes: Buffer }>({
      name: 'outbox-first-pieces',
      text: 'select outbox_id, bytes from dba.outboxcontent where outbox_id = any ($1) and piece = 1',
      values: [outboxIds],
    })
    return new Map(rows.map(({ outbox_id, bytes }) => [outbox_id, bytes]))
  })
}

async function* content(pool: Pick<ClientBase, 'query'>, outboxId: number, first: FirstPieces): AsyncGenerator<Buffer> {
  const bytes = (await first(outboxId)).get(outboxId)
  if (bytes === undefined) {
    throw new PermanentError('mail_content_gone', `The bytes of mail ${outboxId} are no longer kept`, {
      detail: 'There is nothing in dba.outboxcontent.',
      hint: 'They go after dba.setting.retention_outboxcontent; have the report made anew.',
    })
  }
  // Most mails are one small piece; one that is not may become a thousand times larger.
  if (bytes.length <= SMALL_BYTES) {
    const whole = unzipped(bytes)
    if (whole !== null) {
      yield whole
      return
    }
  }
  // An error of either reaches the reader.
  yield* pipeline(Readable.from(pieces(pool, outboxId, bytes), { objectMode: false }), createGunzip(), () => {})
}

const SMALL_BYTES = 64 * 1024

/** Null: it becomes too large for that. */
function unzipped(bytes: Buffer): Buffer | null {
  try {
    return gunzipSync(bytes, { maxOutputLength: 16 * SMALL_BYTES })
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

async function* pieces(pool: Pick<ClientBase, 'query'>, outboxId: number, first: Buffer): AsyncGenerator<Buffer> {
  let bytes: Buffer | undefined = first
  for (let piece = 2; bytes !== undefined; piece += 1) {
    yield bytes
    if (bytes.length < PIECE_BYTES) return
    const { rows }: { rows: { bytes: Buffer }[] } = await pool.query({
      name: 'outbox-piece',
      text: 'select bytes from dba.outboxcontent where outbox_id = $1 and piece = $2',
      values: [outboxId, piece],
    })
    bytes = rows[0]?.bytes
  }
}

/** Every piece but the last has this size: the driver holds each of them several times over, as text of twice the length too. */
export const PIECE_BYTES = 256 * 1024

/** Forgets the bytes of mails that are done with, after dba.setting.retention_outboxcontent. @returns how many mails */
export async function forgetOldContent(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ mails: number }>(
    `with old as (
       select o.outbox_id from dba.outbox o
       where o.state in ('sent', 'refused', 'cancelled', 'held')
         and o.created_at < clock_timestamp() - coalesce((select value::interval from dba.setting where name = 'retention_outboxcontent'), interval '90 days')
         and coalesce(o.sent_at, o.asked_at) < clock_timestamp() - coalesce((select value::interval from dba.setting where name = 'retention_outboxcontent'), interval '90 days')
         and exists (select from dba.outboxcontent c where c.outbox_id = o.outbox_id)
       limit 1000
     ), gone as (
       delete from dba.outboxcontent c using old where c.outbox_id = old.outbox_id returning c.outbox_id
     )
     select count(distinct outbox_id)::integer as mails from gone`,
  )
  return rows[0]?.mails ?? 0
}

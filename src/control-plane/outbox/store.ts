/** Writes mails into dba.outbox before anything is sent. */
import { createHash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { createGzip, gzipSync } from 'node:zlib'
import type { ClientBase } from 'pg'
import type { NewMail } from '../../job/outbox.ts'
import { PIECE_BYTES } from './content.ts'
import { insertPieces, insertRecipients, insertRows, type MailOrigin, type OutboxInsert, rowOf } from './insert-rows.ts'

/** Mails that are smaller are compressed at once, and several written by one statement. */
const SMALL_BYTES = 256 * 1024
const MOST_AT_ONCE = 200
const MOST_BYTES_AT_ONCE = 4 * 1024 * 1024
const GZIP = { level: 1 }

/**
 * Stores mails within the transaction of `client`; those whose key is there already are left as they are.
 * @returns their numbers, in the order given
 */
export async function storeMails(
  client: ClientBase,
  mails: Iterable<NewMail> | AsyncIterable<NewMail>,
  origin: MailOrigin,
): Promise<number[]> {
  const standard = await standardConnection(client)
  const keys: string[] = []
  let batch: PreparedMail[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await writeBatch(client, batch, origin)
    batch = []
    bytes = 0
  }
  for await (const mail of mails) {
    keys.push(mail.onceKey)
    const row = rowOf({ ...mail, connectionName: mail.connectionName ?? standard }, origin)
    const { whole, rest } = await beginning(mail.mail.content())
    if (rest === null) {
      batch.push({ row: { ...row, size_bytes: whole.length, sha256: sha256Of(whole) }, mail, content: gzipSync(whole, GZIP) })
      bytes += whole.length
      if (batch.length >= MOST_AT_ONCE || bytes >= MOST_BYTES_AT_ONCE) await flush()
    } else {
      await flush()
      await writeLarge(client, row, mail, whole, rest, origin)
    }
  }
  await flush()
  if (origin.isSentByWorker && keys.length > 0) await client.query(`select pg_notify('rota', 'outbox')`)
  const { rows } = await client.query<{ once_key: string; outbox_id: number }>(
    'select once_key, outbox_id from dba.outbox where once_key = any ($1)',
    [keys],
  )
  const numbers = new Map(rows.map(({ once_key, outbox_id }) => [once_key, outbox_id]))
  return keys.flatMap((key) => numbers.get(key) ?? [])
}

interface PreparedMail {
  row: OutboxInsert
  mail: NewMail
  content: Buffer
}

/** Row of dba.connection that mails go out by which name none; null: the folder. */
export async function standardConnection(client: Pick<ClientBase, 'query'>): Promise<string | null> {
  const { rows } = await client.query<{ value: string | null }>(`select value from dba.setting where name = 'mail_connection'`)
  return rows[0]?.value ?? null
}

/** All of a small content, or what came first and what follows. */
async function beginning(content: AsyncIterable<Buffer>): Promise<{ whole: Buffer; rest: AsyncIterator<Buffer> | null }> {
  const pieces: Buffer[] = []
  let length = 0
  const rest = content[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await rest.next()
    if (done) return { whole: Buffer.concat(pieces), rest: null }
    pieces.push(value)
    length += value.length
    if (length >= SMALL_BYTES) return { whole: Buffer.concat(pieces), rest }
  }
}

async function writeBatch(client: ClientBase, batch: PreparedMail[], origin: MailOrigin): Promise<void> {
  const numbers = await insertRows(
    client,
    batch.map(({ row }) => row),
    origin,
  )
  const stored = batch.flatMap((one) => {
    const outboxId = numbers.get(one.row.once_key)
    numbers.delete(one.row.once_key)
    return outboxId === undefined ? [] : [{ ...one, outboxId }]
  })
  if (stored.length === 0) return
  await insertRecipients(client, stored)
  const pieces = stored.flatMap(({ outboxId, content }) => cut(content).map((bytes, at) => ({ outboxId, piece: at + 1, bytes })))
  await insertPieces(client, pieces)
}

async function writeLarge(
  client: ClientBase,
  row: ReturnType<typeof rowOf>,
  mail: NewMail,
  first: Buffer,
  rest: AsyncIterator<Buffer>,
  origin: MailOrigin,
): Promise<void> {
  const outboxId = (await insertRows(client, [{ ...row, size_bytes: 0, sha256: '' }], origin)).get(row.once_key)
  if (outboxId === undefined) return void (await rest.return?.())
  await insertRecipients(client, [{ outboxId, mail }])
  const hash = createHash('sha256')
  let sizeBytes = 0
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const bytes of following(first, rest)) {
      hash.update(bytes)
      sizeBytes += bytes.length
      yield bytes
    }
  }
  let piece = 0
  let pending: Buffer[] = []
  let length = 0
  const write = async (bytes: Buffer): Promise<void> => {
    piece += 1
    // By itself it goes as bytes; in an array as text of twice the length.
    await client.query('insert into dba.outboxcontent (outbox_id, piece, bytes) values ($1, $2, $3)', [outboxId, piece, bytes])
  }
  for await (const bytes of pipeline(Readable.from(counted(), { objectMode: false }), createGzip(GZIP), () => {})) {
    pending.push(bytes)
    length += bytes.length
    while (length >= PIECE_BYTES) {
      const whole = Buffer.concat(pending)
      await write(whole.subarray(0, PIECE_BYTES))
      pending = [whole.subarray(PIECE_BYTES)]
      length -= PIECE_BYTES
    }
  }
  if (length > 0) await write(Buffer.concat(pending))
  await client.query('update dba.outbox set size_bytes = $2, sha256 = $3 where outbox_id = $1', [outboxId, sizeBytes, hash.digest('hex')])
}

async function* following(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* { [Symbol.asyncIterator]: () => rest }
}

function cut(content: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < content.length; at += PIECE_BYTES) pieces.push(content.subarray(at, at + PIECE_BYTES))
  return pieces
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A database with a worker on it, reports, and a mail server that takes what they send. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { SMTPServer } from 'smtp-server'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import type { Ending } from '../helpers/after-everything.ts'
import { freshDatabase, type Query, type TestDatabase } from '../helpers/database.ts'
import { eventually, testKey, workerOn } from '../helpers/engine.ts'

export interface ReportBench {
  database: TestDatabase
  /** As rota_dba. */
  dba: Query
  server: MailServer
  /** Inserts a report called "orders" that goes to ann@example.com by the connection "post", and a schedule that runs only on request. */
  report(settings?: Record<string, unknown>, queries?: Record<string, string | Record<string, unknown>>): Promise<void>
  /** Asks for a run and waits for its end; gives its row. */
  run(args?: Record<string, unknown>, schedule?: string): Promise<RunEnd>
  ended(runId: string): Promise<RunEnd>
  /** The mails that came since the last call, as an independent parser reads them, by their first recipient. */
  mails(): Promise<ReadMail[]>
}

export interface RunEnd extends Record<string, unknown> {
  run_id: string
  state: string
  attempt: number
  note: string | null
  result: { outbox_ids?: number[] } | null
  error_code: string | null
  error_message: string | null
  error_detail: string | null
  error_hint: string | null
}

/** A table `feeds.orders` of ten rows stands ready. */
export async function reportBench(t: Ending, { noWorker = false }: { noWorker?: boolean } = {}): Promise<ReportBench> {
  const database = await freshDatabase(t)
  const server = await startMailServer(t)
  await keepQueryLogin(database)
  if (!noWorker) await workerOn(t, database)
  const { query: dba } = await database.as('rota_dba')
  await dba(`insert into dba.connection (connection_name, kind, host, port, tls) values ('post', 'smtp', '127.0.0.1', $1, 'off')`, [
    server.port,
  ])
  await dba(`create schema feeds`)
  await dba(`create table feeds.orders as select n as order_id, 'Customer ' || n as customer, n * 1.5 as amount, date '2026-11-01' + n as ordered_on
    from generate_series(1, 10) n`)
  await dba(`grant usage on schema feeds to rota_query; grant select on all tables in schema feeds to rota_query`)
  let taken = 0
  return {
    database,
    dba,
    server,
    report,
    run,
    ended,
    async mails() {
      const came = server.mails.slice(taken)
      taken = server.mails.length
      const read = await readMails(came)
      return read.sort((a, b) => (a.to[0] ?? '').localeCompare(b.to[0] ?? ''))
    },
  }

  async function report(
    settings: Record<string, unknown> = {},
    queries: Record<string, string | Record<string, unknown>> = {},
  ): Promise<void> {
    const to = 'recipient_query' in settings || 'to_addresses' in settings ? {} : { to_addresses: ['ann@example.com'] }
    const row = { config_name: 'orders', subject: 'Orders', sender: 'Rota <rota@example.com>', connection_name: 'post', ...to, ...settings }
    await insert(dba, 'dba.reportconfig', row)
    for (const [queryName, given] of Object.entries(queries)) {
      const query = typeof given === 'string' ? { query_text: given } : given
      await insert(dba, 'dba.reportquery', { config_name: row.config_name, query_name: queryName, ...query })
    }
    await insert(dba, 'dba.scheduler', {
      schedule_name: `ask ${row.config_name}`,
      job: 'report',
      config_name: row.config_name,
      max_attempts: 2,
      retry_delay: '0',
    })
  }

  async function run(args: Record<string, unknown> = {}, schedule = 'ask orders'): Promise<RunEnd> {
    const [asked] = await dba<{ run_id: string }>('insert into dba.run (schedule_name, args) values ($1, $2) returning run_id', [
      schedule,
      args,
    ])
    return await ended(asked?.run_id ?? '')
  }

  async function ended(runId: string): Promise<RunEnd> {
    const [end] = await eventually(() =>
      dba<RunEnd>(
        `select run_id, state, attempt, note, result, error_code, error_message, error_detail, error_hint from dba.run
         where run_id = $1 and state in ('succeeded', 'failed', 'cancelled', 'skipped')`,
        [runId],
      ),
    )
    if (end === undefined) throw new Error('the run has no row')
    return end
  }
}

export async function insert(query: Query, table: string, row: Record<string, unknown>): Promise<void> {
  const places = Object.keys(row).map((_, index) => `$${index + 1}`)
  await query(`insert into ${table} (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
}

/** Lets workers of this database log in as rota_query. */
export async function keepQueryLogin(database: TestDatabase): Promise<void> {
  const key = await openSecretKey({ secretKey: testKey, dataDir: database.dataDir })
  const secrets = createSecrets({ db: database.pool, key, redactor: createRedactor(), dataDir: database.dataDir })
  await secrets.set('login.rota_query', new URL(database.urlAs('rota_query')).password)
}

export interface MailServer {
  port: number
  /** In the order in which they came. */
  mails: Received[]
  /** Answers to RCPT by address; others are taken. */
  refusals: Map<string, { code: number; text: string }>
  /** Called with each mail before the server answers that it has it; throwing refuses it. */
  onMail: (mail: Received) => Promise<void> | void
}

export interface Received {
  to: string[]
  content: Buffer
}

/** A real SMTP server on this machine, in the clear. */
export async function startMailServer(t: Ending): Promise<MailServer> {
  const state: MailServer = { port: 0, mails: [], refusals: new Map(), onMail: () => {} }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    // Senders keep their connections for a while.
    closeTimeout: 20,
    onRcptTo({ address }, _session, done) {
      const refused = state.refusals.get(address)
      done(refused === undefined ? null : Object.assign(new Error(refused.text), { responseCode: refused.code }))
    },
    onData(stream, { envelope }, done) {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', async () => {
        const mail = { to: envelope.rcptTo.map(({ address }) => address), content: Buffer.concat(pieces) }
        try {
          await state.onMail(mail)
          state.mails.push(mail)
          done(null)
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)))
        }
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const address = server.server.address()
  state.port = typeof address === 'object' && address !== null ? address.port : 0
  t.after(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  return state
}

/** A mail as Python's email package reads it. */
export interface ReadMail {
  /** Of the envelope. */
  to: string[]
  headers: Record<string, string>
  /** Leaves of the MIME tree, in order. */
  parts: { type: string; disposition: string | null; fileName: string | null; contentId: string | null; content: Buffer }[]
  text: string
  html: string
  /** What the parser found wrong. */
  defects: string[]
  raw: Buffer
}

const PARSER = `
import base64, email, email.policy, json, sys
for line in sys.stdin:
  message = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
  parts, defects = [], [str(d) for d in message.defects]
  for part in message.walk():
    defects += [str(d) for d in part.defects]
    if part.is_multipart(): continue
    parts.append({'type': part.get_content_type(), 'disposition': part.get_content_disposition(), 'fileName': part.get_filename(),
      'contentId': part['content-id'], 'content': base64.b64encode(part.get_payload(decode=True) or b'').decode()})
  body = lambda kind: (lambda b: '' if b is None else b.get_content())(message.get_body(preferencelist=(kind,)))
  print(json.dumps({'headers': {k.lower(): str(v) for k, v in message.items()}, 'parts': parts, 'defects': defects, 'text': body('plain'), 'html': body('html')}))
`

export async function readMails(mails: readonly Received[]): Promise<ReadMail[]> {
  if (mails.length === 0) return []
  const asked = promisify(execFile)('/usr/bin/python3', ['-c', PARSER], { maxBuffer: 512 * 1024 * 1024 })
  asked.child.stdin?.end(mails.map(({ content }) => `${content.toString('base64')}\n`).join(''))
  const { stdout } = await asked
  return stdout
    .trimEnd()
    .split('\n')
    .map((line, at) => {
      const {
        parts,
        ...read
      }: Omit<ReadMail, 'to' | 'raw' | 'parts'> & { parts: (Omit<ReadMail['parts'][0], 'content'> & { content: string })[] } =
        JSON.parse(line)
      const { to = [], content = Buffer.alloc(0) } = mails[at] ?? {}
      return {
        ...read,
        text: read.text.replaceAll('\r\n', '\n'),
        html: read.html.replaceAll('\r\n', '\n'),
        to,
        raw: content,
        parts: parts.map((part) => ({ ...part, content: Buffer.from(part.content, 'base64') })),
      }
    })
}

/** A key that no other test has. */
export function anyName(): string {
  return randomUUID().slice(0, 8)
}

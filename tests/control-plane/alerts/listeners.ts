/** Those who are told: a mail server and a web server on this machine. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { SMTPServer } from 'smtp-server'

type Ending = { after(end: () => Promise<void>): void }

export interface MailStand {
  port: number
  mails: { to: string[]; subject: string; text: string }[]
}

/** A mail server in the clear that takes everything. */
export async function startMailStand(t: Ending): Promise<MailStand> {
  const stand: MailStand = { port: 0, mails: [] }
  const server = new SMTPServer({
    authOptional: true,
    // Senders keep their connections for a while.
    closeTimeout: 100,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => {
        const content = Buffer.concat(pieces).toString('utf8')
        const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(content)?.[1]?.replace(/\r\n[ \t]+/g, ' ') ?? ''
        stand.mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), subject, text: readable(content) })
        done()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const address = server.server.address()
  stand.port = typeof address === 'object' && address ? address.port : 0
  t.after(() => new Promise((resolve) => server.close(() => resolve())))
  return stand
}

/** Quoted-printable undone, as far as tests look. */
function readable(content: string): string {
  return content.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

export interface WebStand {
  url: string
  calls: { method: string; path: string; key: string | undefined; body: Record<string, unknown> | null }[]
  /** Statuses of the next answers; then 200. */
  statuses: number[]
}

export async function startWebStand(t: Ending): Promise<WebStand> {
  const stand: WebStand = { url: '', calls: [], statuses: [] }
  const server = createServer(async (request, response) => {
    const body = await readBody(request)
    const key = request.headers['idempotency-key']
    stand.calls.push({ method: request.method ?? '', path: request.url ?? '', key: typeof key === 'string' ? key : undefined, body })
    response.writeHead(stand.statuses.shift() ?? 200).end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  stand.url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  t.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return stand
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown> | null> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(Buffer.from(piece))
  const text = Buffer.concat(pieces).toString('utf8')
  const value: unknown = text === '' ? null : JSON.parse(text)
  return typeof value === 'object' && value !== null ? { ...value } : null
}

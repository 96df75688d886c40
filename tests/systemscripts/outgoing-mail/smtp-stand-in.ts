import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** Where the server cuts the connection, or says something else than yes. */
export type Stage = 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'mid_data' | 'after_dot'

export interface SmtpStandIn {
  port: number
  /** What it does at a stage: cuts the connection, or answers so. Taken once each, in order; after that it says yes. */
  faults: { stage: Stage; answer: 'cut' | 'silence' | string }[]
  /** Answers to RCPT by address; others are taken. */
  recipients: Map<string, string>
  /** Mails that it has all of, with dots undone. */
  mails: { from: string; to: string[]; content: string }[]
  connections: number
  hasPipelining: boolean
  /** Offers STARTTLS, and says nothing more once it has said yes to it: that is where the handshake would begin. */
  hasStartTls: boolean
  /** Takes any PLAIN login. */
  hasAuth: boolean
  /** Called when the last dot has come, before the answer. */
  onDot: () => Promise<void> | void
}

/** An SMTP server that speaks as RFC 5321 says, in the clear, and fails where it is told to. */
export async function startSmtpStandIn(t: { after(end: () => Promise<void>): void }): Promise<SmtpStandIn> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    serve(state, socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const state: SmtpStandIn = {
    port: typeof address === 'object' && address ? address.port : 0,
    faults: [],
    recipients: new Map(),
    mails: [],
    connections: 0,
    hasPipelining: true,
    hasStartTls: false,
    hasAuth: false,
    onDot: () => {},
  }
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return state
}

function serve(state: SmtpStandIn, socket: Socket): void {
  state.connections += 1
  let from = ''
  let to: string[] = []
  let isData = false
  let pending = ''
  let content: string[] = []
  say('greeting', '220 stand-in ESMTP')

  /** False: the connection is of no use any more. */
  function say(stage: Stage, usual: string): boolean {
    const at = state.faults.findIndex((fault) => fault.stage === stage)
    const fault = at === -1 ? undefined : state.faults.splice(at, 1)[0]
    if (fault?.answer === 'cut') {
      socket.destroy()
      return false
    }
    if (fault?.answer === 'silence') return false
    socket.write(`${fault?.answer ?? usual}\r\n`)
    return fault === undefined
  }

  socket.setEncoding('latin1')
  socket.on('data', async (text: string) => {
    pending += text
    for (let end = pending.indexOf('\r\n'); end !== -1 && !socket.destroyed; end = pending.indexOf('\r\n')) {
      const line = pending.slice(0, end)
      pending = pending.slice(end + 2)
      if (isData) await dataLine(line)
      else command(line)
    }
  })

  async function dataLine(line: string): Promise<void> {
    if (line !== '.') {
      content.push(line.replace(/^\./, ''))
      if (content.length === 20 && state.faults.some(({ stage }) => stage === 'mid_data')) say('mid_data', '')
      return
    }
    isData = false
    await state.onDot()
    const mail = { from, to, content: `${content.join('\r\n')}\r\n` }
    const fault = state.faults.find(({ stage }) => stage === 'after_dot')
    // A server that says yes, or is cut before it can say so, has the mail.
    if (fault === undefined || !/^[45]/.test(fault.answer)) state.mails.push(mail)
    from = ''
    to = []
    content = []
    say('after_dot', '250 2.0.0 queued')
  }

  function offers(): string {
    const { hasPipelining, hasStartTls, hasAuth } = state
    const words = [
      'stand-in',
      ...(hasPipelining ? ['PIPELINING'] : []),
      ...(hasStartTls ? ['STARTTLS'] : []),
      ...(hasAuth ? ['AUTH PLAIN'] : []),
    ]
    return `${words.map((word) => `250-${word}\r\n`).join('')}250 SIZE 20000000`
  }

  function command(line: string): void {
    if (/^(EHLO|HELO)/i.test(line)) say('ehlo', offers())
    else if (/^STARTTLS/i.test(line)) say('starttls', '220 2.0.0 begin')
    else if (/^AUTH/i.test(line)) say('auth', '235 2.7.0 welcome')
    else if (/^MAIL/i.test(line)) {
      if (say('mail', '250 2.1.0 ok')) from = addressIn(line)
    } else if (/^RCPT/i.test(line)) {
      const refusal = state.recipients.get(addressIn(line))
      if (refusal !== undefined) socket.write(`${refusal}\r\n`)
      else if (say('rcpt', '250 2.1.5 ok')) to.push(addressIn(line))
    } else if (/^DATA/i.test(line)) {
      if (to.length === 0) socket.write('503 5.5.1 no recipients\r\n')
      else if (say('data', '354 go on')) isData = true
    } else if (/^RSET|^NOOP/i.test(line)) socket.write('250 ok\r\n')
    else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
    else socket.write('502 5.5.2 what\r\n')
  }
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? ''
}

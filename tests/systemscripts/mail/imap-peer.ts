import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { peerFetch } from './imap-peer-fetch.ts'
import { isIn, searched } from './imap-peer-search.ts'

export interface PeerMessage {
  uid: number
  raw: Buffer
  flags: Set<string>
  receivedAt: Date
}

export interface PeerFolder {
  uidValidity: number
  uidNext: number
  messages: PeerMessage[]
  permanentFlags: string
}

export interface PeerOptions {
  capabilities?: string[]
  password?: string
  token?: string
  /** Encrypts: from the first byte, or by STARTTLS. */
  tls?: { key: string; cert: string; kind: 'implicit' | 'starttls' }
  delimiter?: string
  /** Gives whole parts, whatever piece is asked for. */
  ignoresPieces?: boolean
  /** Carries out commands that come together at once, as a server may: the answers of the later ones come first, the ends in any order. */
  isBusy?: boolean
  /** Answers to a login instead of judging it. */
  loginAnswer?: string
  /** Drops the connection when a command holds this text. */
  dropsAt?: RegExp
}

export interface ImapPeer {
  port: number
  folders: Map<string, PeerFolder>
  /** Lines that clients sent, secrets included. */
  lines: string[]
  add(folder: string, raw: Buffer, receivedAt?: Date): PeerMessage
  /** Ends all connections, as a server does when nothing happens on them. */
  dropAll(): void
  close(): Promise<void>
}

/** A small IMAP4rev1 server in this process, for what a real one cannot be made to do. Sources: RFC 3501, RFC 6851, RFC 7628. */
export async function startImapPeer(options: PeerOptions = {}): Promise<ImapPeer> {
  const folders = new Map<string, PeerFolder>([['INBOX', emptyFolder()]])
  const lines: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const secured = options.tls?.kind === 'implicit' ? secure(socket, options.tls) : socket
    new PeerSession(secured, { folders, lines, options, sockets })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    folders,
    lines,
    add: (folder, raw, receivedAt = new Date('2026-11-19T09:00:00Z')) => addTo(folders, folder, raw, receivedAt),
    dropAll: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function emptyFolder(): PeerFolder {
  return { uidValidity: 1000 + Math.floor(Math.random() * 1e6), uidNext: 1, messages: [], permanentFlags: '\\Seen \\Flagged \\Deleted \\*' }
}

function addTo(folders: Map<string, PeerFolder>, name: string, raw: Buffer, receivedAt: Date): PeerMessage {
  const folder = folders.get(name) ?? emptyFolder()
  folders.set(name, folder)
  const message = { uid: folder.uidNext, raw, flags: new Set<string>(), receivedAt }
  folder.uidNext += 1
  folder.messages.push(message)
  return message
}

function secure(socket: Socket, { key, cert }: { key: string; cert: string }): TLSSocket {
  const secured = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) })
  secured.on('error', () => {})
  return secured
}

interface Shared {
  folders: Map<string, PeerFolder>
  lines: string[]
  options: PeerOptions
  sockets: Set<Socket>
}

class PeerSession {
  readonly shared: Shared
  socket: Socket
  buffered: Buffer = Buffer.alloc(0)
  selected: PeerFolder | null = null
  /** How many messages the client was told of. */
  told = 0
  waiting: ((line: string) => void) | null = null
  heldBack: Buffer[] | null = null

  constructor(socket: Socket, shared: Shared) {
    this.shared = shared
    this.socket = socket
    this.listen(socket)
    this.send(`* OK ready`)
  }

  listen(socket: Socket): void {
    socket.on('data', (piece: Buffer) => {
      this.buffered = Buffer.concat([this.buffered, piece])
      this.heldBack = []
      for (let end = this.buffered.indexOf('\r\n'); end !== -1; end = this.buffered.indexOf('\r\n')) {
        const literal = /\{(\d+)\+?\}$/.exec(this.buffered.toString('utf8', 0, end))
        if (literal && this.buffered.length < end + 2 + Number(literal[1])) {
          if (!literal[0].endsWith('+}')) this.send('+ go on')
          return
        }
        const length = literal ? end + 2 + Number(literal[1]) : end
        const line = this.buffered.toString('utf8', 0, length)
        this.buffered = this.buffered.subarray(length + (literal ? 0 : 2))
        this.take(line)
      }
      const held = this.heldBack.reverse()
      this.heldBack = null
      for (const bytes of held) this.socket.write(bytes)
    })
  }

  send(...texts: (string | Buffer)[]): void {
    for (const text of texts) this.socket.write(typeof text === 'string' ? `${text}\r\n` : text)
  }

  take(line: string): void {
    this.shared.lines.push(line)
    const [, tag = '*', command = '', rest = ''] = /^(\S+) (UID \S+|\S+) ?(.*)$/s.exec(line) ?? []
    if (this.shared.options.dropsAt?.test(line)) this.socket.destroy()
    else if (this.waiting) this.waiting(line)
    else this.answer(tag, command.toUpperCase(), rest)
  }

  answer(tag: string, command: string, rest: string): void {
    const { folders, options } = this.shared
    const name = (
      /^"([^"]*)"|^(\S+)/
        .exec(rest)
        ?.slice(1)
        .find((text) => text !== undefined) ?? ''
    ).replace(/^inbox$/i, 'INBOX')
    const done = `${tag} OK done`
    const commands: Record<string, () => void> = {
      CAPABILITY: () => this.send(`* CAPABILITY IMAP4rev1 ${this.capabilities()}`, done),
      STARTTLS: () => this.startTls(done),
      LOGIN: () => this.logIn(tag, command, rest),
      AUTHENTICATE: () => this.logIn(tag, command, rest),
      LIST: () => this.send(...this.listed(rest, options.delimiter ?? '/'), done),
      CREATE: () => {
        folders.set(name, emptyFolder())
        this.send(done)
      },
      SELECT: () => this.select(tag, command, name),
      EXAMINE: () => this.select(tag, command, name),
      IDLE: () => this.idle(tag),
      LOGOUT: () => {
        this.send('* BYE', done)
        this.socket.end()
      },
    }
    const known = commands[command]
    if (known) known()
    else if (command.startsWith('UID ') && this.selected) this.uidCommand(done, this.selected, command.slice(4), rest)
    else if (/^(NOOP|ID|NAMESPACE|LSUB|SUBSCRIBE|ENABLE|CLOSE|STATUS)$/.test(command)) this.send(done)
    else this.send(`${tag} BAD ${command} is not known here`)
  }

  listed(rest: string, delimiter: string): string[] {
    if (rest.startsWith('"" ""')) return [`* LIST (\\Noselect) "${delimiter}" ""`]
    return [...this.shared.folders.keys()].map((path) => `* LIST () "${delimiter}" "${path}"`)
  }

  startTls(done: string): void {
    this.send(done)
    if (!this.shared.options.tls) return
    this.socket.removeAllListeners('data')
    this.socket = secure(this.socket, this.shared.options.tls)
    this.listen(this.socket)
  }

  capabilities(): string {
    const { capabilities = ['UIDPLUS', 'MOVE', 'IDLE', 'AUTH=PLAIN'], tls } = this.shared.options
    const isOpen = tls?.kind === 'starttls' && !(this.socket instanceof TLSSocket)
    return [...capabilities, ...(isOpen ? ['STARTTLS'] : [])].join(' ')
  }

  logIn(tag: string, command: string, rest: string): void {
    const { password = 'secret', token, loginAnswer } = this.shared.options
    const judge = (text: string): void => {
      this.waiting = null
      const bytes = Buffer.from(text, 'base64').toString()
      const isRight =
        token === undefined ? bytes.includes(`\0${password}`) || rest.includes(password) : bytes.includes(`Bearer ${token}\x01`)
      this.send(loginAnswer ? `${tag} ${loginAnswer}` : isRight ? `${tag} OK in` : `${tag} NO [AUTHENTICATIONFAILED] wrong`)
    }
    const initial = rest.split(' ')[1]
    if (command === 'LOGIN' || initial !== undefined) judge(initial ?? '')
    else {
      this.waiting = judge
      this.send('+ ')
    }
  }

  select(tag: string, command: string, name: string): void {
    const folder = this.shared.folders.get(name)
    this.selected = folder ?? null
    this.told = folder?.messages.length ?? 0
    if (folder === undefined) this.send(`${tag} NO [NONEXISTENT] no such folder`)
    else
      this.send(
        '* FLAGS (\\Seen \\Flagged \\Deleted)',
        `* ${folder.messages.length} EXISTS`,
        `* OK [PERMANENTFLAGS (${folder.permanentFlags})] allowed`,
        `* OK [UIDVALIDITY ${folder.uidValidity}] valid`,
        `* OK [UIDNEXT ${folder.uidNext}] next`,
        `${tag} OK [${command === 'EXAMINE' ? 'READ-ONLY' : 'READ-WRITE'}] open`,
      )
  }

  idle(tag: string): void {
    this.send('+ idling')
    const timer = setInterval(() => {
      const count = this.selected?.messages.length ?? 0
      if (count !== this.told) this.send(`* ${count} EXISTS`)
      this.told = count
    }, 20)
    this.waiting = () => {
      clearInterval(timer)
      this.waiting = null
      this.send(`${tag} OK done`)
    }
    this.socket.once('close', () => clearInterval(timer))
  }

  uidCommand(done: string, folder: PeerFolder, command: string, rest: string): void {
    if (command === 'SEARCH')
      this.send(
        `* SEARCH ${folder.messages
          .filter(searched(rest, folder))
          .map(({ uid }) => uid)
          .join(' ')}`,
      )
    const chosen = folder.messages.filter(({ uid }) => isIn(rest.split(' ')[0] ?? '', uid, folder))
    if (command === 'FETCH') {
      const answers = chosen.map((message) => peerFetch(message, folder, rest, this.shared.options))
      if (this.shared.options.isBusy && this.heldBack) {
        this.heldBack.unshift(Buffer.from(`${done}\r\n`))
        this.heldBack.push(...answers)
        return
      }
      for (const answer of answers) this.send(answer)
    }
    if (command === 'STORE')
      for (const message of chosen) for (const [flag] of rest.matchAll(/(?<=[( ])\\?[\w$.-]+(?=[ )])/g)) message.flags.add(flag)
    if (command === 'COPY' || command === 'MOVE') {
      const target = (/ "?([^"]*)"?$/.exec(rest)?.[1] ?? '').replaceAll('"', '')
      for (const { raw, receivedAt } of chosen) addTo(this.shared.folders, target, raw, receivedAt)
    }
    if (command === 'MOVE') folder.messages = folder.messages.filter((message) => !chosen.includes(message))
    if (command === 'EXPUNGE')
      folder.messages = folder.messages.filter((message) => !(chosen.includes(message) && message.flags.has('\\Deleted')))
    this.send(done)
  }
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export interface Dovecot {
  port: number
  tlsPort: number
  /** Folder of the messages of a user. */
  maildir(user: string): string
  /** Puts a message into a Maildir as a delivery does. */
  deliver(user: string, raw: Buffer): Promise<void>
  /** Kills it, sessions included. */
  stop(): Promise<void>
  start(): Promise<void>
}

export const dovecotIsInstalled = ((): boolean => {
  try {
    execFileSync('dovecot', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

export const needsDovecot = dovecotIsInstalled ? {} : { skip: 'dovecot-imapd is not installed' }

/** A real Dovecot in the foreground, in a folder of its own, on free ports; any user's password is `secret`. */
export async function startDovecot(certificate: { key: string; cert: string } | null): Promise<Dovecot & { end(): Promise<void> }> {
  // Not mkdtemp's own 0700: Dovecot serves mail as another user than root.
  const folder = await mkdtemp(join(tmpdir(), 'rota-dovecot-'))
  await chmod(folder, 0o755)
  const owner = userInfo().uid === 0 ? 'nobody' : userInfo().username
  const [port, tlsPort] = [await freePort(), await freePort()]
  if (certificate)
    await Promise.all([writeFile(join(folder, 'key.pem'), certificate.key), writeFile(join(folder, 'cert.pem'), certificate.cert)])
  await writeFile(join(folder, 'dovecot.conf'), configuration({ folder, owner, port, tlsPort, hasTls: certificate !== null }))
  await mkdir(join(folder, 'mail'))
  let delivered = 0
  let server: ChildProcess | null = null
  const maildir = (user: string): string => join(folder, 'mail', user)
  const dovecot = { port, tlsPort, maildir, deliver, start, stop, end }
  await start()
  return dovecot

  async function start(): Promise<void> {
    server = spawn('dovecot', ['-F', '-c', join(folder, 'dovecot.conf')], { stdio: 'ignore', detached: true })
    await answering(port)
  }

  async function stop(): Promise<void> {
    const running = server
    server = null
    if (running?.pid === undefined || running.exitCode !== null) return
    // The whole group: sessions outlive the master.
    process.kill(-running.pid, 'SIGKILL')
    await once(running, 'exit')
    await rm(join(folder, 'run'), { recursive: true, force: true })
  }

  async function end(): Promise<void> {
    await stop()
    await rm(folder, { recursive: true, force: true })
  }

  async function deliver(user: string, raw: Buffer): Promise<void> {
    for (const name of ['new', 'cur', 'tmp']) await mkdir(join(maildir(user), name), { recursive: true })
    delivered += 1
    await writeFile(join(maildir(user), 'new', `${1_700_000_000 + delivered}.M${delivered}.test`), raw)
    if (owner === 'nobody') execFileSync('chown', ['-R', 'nobody', join(folder, 'mail')])
  }
}

function configuration(facts: { folder: string; owner: string; port: number; tlsPort: number; hasTls: boolean }): string {
  const { folder, owner, port, tlsPort, hasTls } = facts
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap
listen = 127.0.0.1
${hasTls ? `ssl = yes\nssl_cert = <${folder}/cert.pem\nssl_key = <${folder}/key.pem` : 'ssl = no'}
disable_plaintext_auth = no
default_internal_user = ${owner}
default_internal_group = ${execFileSync('id', ['-gn', owner]).toString().trim()}
default_login_user = ${owner}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:${folder}/mail/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${owner} gid=${execFileSync('id', ['-gn', owner]).toString().trim()} home=${folder}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Rubbish {
    auto = create
    special_use = \\Junk
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${hasTls ? tlsPort : 0}
    ssl = yes
  }
}
service anvil {
  chroot =
}
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = connect(port, '127.0.0.1')
    const greeting = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => [])
    socket.destroy()
    if (Buffer.isBuffer(greeting[0])) return
    await wait(50)
  }
  throw new Error(`dovecot does not answer on port ${port}`)
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export interface Postfix {
  /** In the clear, with STARTTLS where there is a certificate. */
  port: number
  /** Encrypted from the first byte. */
  tlsPort: number
  /** What it has logged. */
  log(): Promise<string>
  end(): Promise<void>
}

export interface PostfixOptions {
  certificate: { key: string; cert: string } | null
  /** Folder that holds one Maildir per user. */
  maildirs: string
  /** Addresses are <user>@example.com; everybody else is refused at RCPT. */
  users: string[]
}

const programs = '/usr/lib/postfix/sbin'

/** It delivers as another user than the one it was started by. */
export const needsPostfix =
  existsSync(join(programs, 'master')) && userInfo().uid === 0 ? {} : { skip: 'needs postfix installed, and root to start it' }

/** A real Postfix in the foreground, with queue, settings and ports of its own. */
export async function startPostfix({ certificate, maildirs, users }: PostfixOptions): Promise<Postfix> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-postfix-'))
  await chmod(folder, 0o755)
  const [port, tlsPort] = [await freePort(), await freePort()]
  for (const name of ['settings', 'queue', 'data']) await mkdir(join(folder, name))
  if (certificate) {
    await writeFile(join(folder, 'key.pem'), certificate.key, { mode: 0o600 })
    await writeFile(join(folder, 'cert.pem'), certificate.cert)
  }
  execFileSync('chown', ['postfix', join(folder, 'data')])
  const settings = join(folder, 'settings')
  await writeFile(join(settings, 'main.cf'), mainSettings({ folder, maildirs, users, hasTls: certificate !== null }))
  await writeFile(join(settings, 'master.cf'), services({ port, tlsPort, hasTls: certificate !== null }))
  // Makes the folders of the queue.
  execFileSync('postfix', ['-c', settings, 'check'], { stdio: 'ignore' })
  const master: ChildProcess = spawn(join(programs, 'master'), ['-c', settings, '-d'], { stdio: 'ignore', detached: true })
  const log = (): Promise<string> => readFile(join(folder, 'log'), 'utf8').catch(() => '')
  const end = async (): Promise<void> => {
    // The whole group: its services outlive a master that is killed.
    if (master.pid !== undefined && master.exitCode === null && master.signalCode === null) {
      const ended = once(master, 'exit')
      process.kill(-master.pid, 'SIGKILL')
      await ended
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await answering(port)
  } catch (cause) {
    const said = await log()
    await end()
    throw new Error(`postfix does not answer on port ${port}: ${said}`, { cause })
  }
  return { port, tlsPort, log, end }
}

function mainSettings(facts: { folder: string; maildirs: string; users: string[]; hasTls: boolean }): string {
  const { folder, maildirs, users, hasTls } = facts
  const nobody = (which: string): string => execFileSync('id', [which, 'nobody']).toString().trim()
  return `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = mail.example.com
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
default_transport = error:this server delivers to nobody else
virtual_mailbox_domains = example.com
virtual_mailbox_base = ${maildirs}
virtual_mailbox_maps = inline:{ ${users.map((user) => `{ ${user}@example.com = ${user}/ }`).join(' ')} }
virtual_uid_maps = static:${nobody('-u')}
virtual_gid_maps = static:${nobody('-g')}
message_size_limit = 20000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0
${hasTls ? `smtpd_tls_cert_file = ${folder}/cert.pem\nsmtpd_tls_key_file = ${folder}/key.pem\nsmtpd_tls_security_level = may` : ''}
`
}

function services({ port, tlsPort, hasTls }: { port: number; tlsPort: number; hasTls: boolean }): string {
  return `
127.0.0.1:${port} inet n - n - - smtpd
${hasTls ? `127.0.0.1:${tlsPort} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes` : ''}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
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
  throw new Error('no greeting')
}

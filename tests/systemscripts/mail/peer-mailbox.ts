import type { ImapOptions } from '../../../systemscripts/mail/imap/connect.ts'
import { openImapMailbox } from '../../../systemscripts/mail/imap-mailbox.ts'
import type { Mailbox } from '../../../systemscripts/mail/mailbox.ts'
import { type ImapPeer, type PeerOptions, startImapPeer } from './imap-peer.ts'

interface Ending {
  after(end: () => Promise<void>): void
}

/** A server that ends with the test. */
export async function peer(t: Ending, options: PeerOptions = {}): Promise<ImapPeer> {
  const started = await startImapPeer(options)
  t.after(() => started.close())
  return started
}

/** A mailbox on it, closed with the test. */
export async function connect(t: Ending, { port }: ImapPeer, options: Partial<ImapOptions> = {}): Promise<Mailbox> {
  const mailbox = await openImapMailbox({ host: '127.0.0.1', port, user: 'us', login: { password: 'secret' }, tls: 'off', ...options })
  t.after(() => mailbox.close())
  return mailbox
}

/**
 * Reads every attachment of a mailbox and says how much memory that took beyond what was there before:
 * `node read-attachments.ts <port> <user>` prints JSON.
 */

import { openImapMailbox } from '../../../systemscripts/mail/imap-mailbox.ts'
import { attachmentsOf } from '../../../systemscripts/mail/message-part.ts'
import { listOf } from './make-mail.ts'

const [, , port, user = ''] = process.argv
const mailbox = await openImapMailbox({ host: '127.0.0.1', port: Number(port), user, login: { password: 'secret' }, tls: 'off' })
const { refs } = await mailbox.look('INBOX', { since: null })
const structures = await listOf(mailbox.structures(refs))
const wanted = structures.flatMap(({ ref, root }) => attachmentsOf(root).map(({ part }) => ({ ref, part })))
// A small one first, so that code and buffers that are needed anyway are there.
const before = { rss: 0, buffers: 0 }
let [bytes, rss, buffers] = [0, 0, 0]
for await (const { content } of mailbox.read(wanted)) {
  for await (const piece of content) {
    bytes += piece.length
    const { rss: now, arrayBuffers } = process.memoryUsage()
    if (before.rss === 0) Object.assign(before, { rss: now, buffers: arrayBuffers })
    rss = Math.max(rss, now)
    buffers = Math.max(buffers, arrayBuffers)
  }
}
await mailbox.close()
console.log(JSON.stringify({ bytes, rssGrowth: rss - before.rss, bufferGrowth: buffers - before.buffers }))

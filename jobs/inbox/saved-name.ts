import type { MessageHead } from '../../systemscripts/mail/message-head.ts'
import { namePrefix } from '../../systemscripts/mail/name-prefix.ts'

/** Words of dba.inboxconfig.name_prefix, and what systemscripts/mail/name-prefix.ts calls them. */
const moments: Record<string, string> = { date: 'yyyyMMdd', timestamp: 'yyyyMMddTHHmmss', message_date: 'yyyyMMdd' }

/** What is put before the names of a mail's files; empty without a template. */
export function prefixFor(template: string | null, { ref, from, receivedAt, subject }: MessageHead, now: Date, timeZone: string): string {
  if (template === null) return ''
  const facts = { sender: from[0]?.address ?? 'unknown', subject, config: '', timeZone }
  return template.replace(/\{(\w+)\}/g, (whole, word: string) => {
    if (word === 'uid') return ref.uid.replace(/\.eml$/i, '')
    if (word === 'sender') return facts.sender
    const format = moments[word]
    return format === undefined ? whole : namePrefix(`{${format}}`, { ...facts, at: word === 'message_date' ? receivedAt : now })
  })
}

/** Name of the whole mail as a file. */
export function rawName({ subject }: MessageHead): string {
  return `${subject.trim() || 'mail'}.eml`
}

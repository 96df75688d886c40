/** Mails as the command line shows them. */
import { PermanentError } from '../../../systemscripts/errors.ts'
import type { Reader } from '../overview.ts'

export type MailLine = {
  outbox_id: number
  at: Date
  kind: string
  state: string
  config_name: string | null
  subject: string
  sent_to: string | null
  not_sent_to: string | null
  excerpt: string
  answer: string | null
}

const columns = 'outbox_id, at, kind, state, config_name, subject, sent_to, not_sent_to, excerpt, answer'

/** The latest mails, the latest first. */
export async function latestMails({ query }: Reader, count: number): Promise<MailLine[]> {
  return await query<MailLine>(`select ${columns} from dba.mail_sent limit $1`, [count])
}

/** @throws PermanentError `mail_not_found` */
export async function findMail({ query }: Reader, outboxId: number): Promise<MailLine> {
  const [found] = await query<MailLine>(`select ${columns} from dba.mail_sent where outbox_id = $1`, [outboxId])
  if (found !== undefined) return found
  throw new PermanentError('mail_not_found', `There is no mail ${outboxId} in dba.outbox`, {
    hint: 'See "rota outbox" for the latest ones.',
  })
}

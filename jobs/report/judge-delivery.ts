import type { OutboxMail } from '../../src/job/outbox.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'

/**
 * What became of all mails is what became of the run: sent to everybody, or it fails and says who has none.
 *
 * @throws JobError `mail_deferred` when another attempt may send what is left; PermanentError `mail_not_delivered`
 */
export function judgeDelivery(mails: OutboxMail[], { skipped, rowsRead }: { skipped: string | null; rowsRead: number }): Outcome {
  const waiting = mails.filter(({ state }) => state === 'rendered' || state === 'resend' || state === 'sending')
  const lost = mails.filter((mail) => !waiting.includes(mail) && !isDelivered(mail))
  const recipients = mails.flatMap((mail) => mail.recipients)
  const got = recipients.filter(({ state }) => state === 'sent').length
  if (lost.length === 0 && waiting.length > 0 && waiting.every(({ error }) => error?.isPermanent !== true)) {
    const error = waiting.find((mail) => mail.error !== null)?.error
    throw new JobError('mail_deferred', `${counted(waiting.length)} could not be sent yet`, {
      detail: [
        ...(error === null || error === undefined ? [] : [`${error.message}.`, error.detail ?? '']),
        `${got} of ${recipients.length} recipients have it.`,
      ]
        .filter(Boolean)
        .join(' '),
      hint: error?.hint ?? 'The next attempt sends the same bytes to those who lack it.',
    })
  }
  if (lost.length + waiting.length > 0) {
    const names = [...lost, ...waiting].flatMap(({ recipients: of }) =>
      of.filter(({ state }) => state !== 'sent').map(({ address, state, text }) => `${address}: ${text ?? state}`),
    )
    const ids = [...lost, ...waiting].map(({ outboxId }) => outboxId)
    throw new PermanentError('mail_not_delivered', `${names.length} of ${recipients.length} recipients did not get it`, {
      detail: `${names.slice(0, 20).join('; ')}${names.length > 20 ? '; …' : ''}.`,
      hint: `Look at it: select * from dba.outbox where outbox_id in (${ids.slice(0, 20).join(', ')}). When that is mended: update dba.outbox set state = 'resend' where outbox_id in (${ids.slice(0, 20).join(', ')}).`,
    })
  }
  const sent =
    mails.length === 0
      ? `Not sent: ${skipped ?? 'it goes to nobody'}`
      : `${counted(mails.length)} sent to ${got} ${got === 1 ? 'recipient' : 'recipients'}${skipped === null ? '' : `; others left out: ${skipped}`}`
  return {
    rowsRead,
    note: sent,
    result: { outbox_ids: mails.map(({ outboxId }) => outboxId).slice(0, 1000), mails: mails.length, recipients: got },
  }
}

function isDelivered({ state, recipients }: OutboxMail): boolean {
  return (
    state === 'cancelled' ||
    (state === 'sent' && recipients.every((recipient) => recipient.state === 'sent' || recipient.state === 'cancelled'))
  )
}

function counted(mails: number): string {
  return mails === 1 ? '1 mail' : `${mails.toLocaleString('en')} mails`
}

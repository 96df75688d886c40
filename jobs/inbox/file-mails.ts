import type { FilingAction, MailLedger } from '../../src/job/mails.ts'
import { JobError } from '../../systemscripts/errors.ts'
import type { Mailbox } from '../../systemscripts/mail/mailbox.ts'
import type { MessageRef } from '../../systemscripts/mail/message-head.ts'
import type { InboxSettings } from './settings.ts'

/** What is to be done with a mail in its mailbox. */
export interface Filing {
  action: FilingAction
  filedTo: string | null
}

/** A mail whose files are safe, or that was refused. */
export interface MailToFile extends Filing {
  messageId: number
  ref: MessageRef
}

/** Only Gmail's labels leave a mail where it is; elsewhere it is put into a folder. */
export function filingFor(
  { action, processedLabel, errorLabel }: Pick<InboxSettings, 'action' | 'processedLabel' | 'errorLabel'>,
  end: 'taken' | 'refused',
  mailbox: { kind: string; isReadOnly: boolean },
): Filing {
  if (action === 'leave' || mailbox.isReadOnly) return { action: 'leave', filedTo: null }
  if ((action === 'mark_read' || action === 'flag') && end === 'taken') return { action, filedTo: null }
  return {
    action: action === 'label' && mailbox.kind === 'gmail' ? 'label' : 'move',
    filedTo: end === 'taken' ? processedLabel : errorLabel,
  }
}

/** The strongest first: what would undo another does not come to that. */
const strength: FilingAction[] = ['move', 'label', 'flag', 'mark_read', 'leave']

/** Of several rules that took a mail the one whose action is carried out. @param takers in the order in which they were asked */
export function strongest(takers: InboxSettings[]): InboxSettings | undefined {
  return takers.toSorted((a, b) => strength.indexOf(a.action) - strength.indexOf(b.action))[0]
}

const writtenTogether = 50

/**
 * Labels, moves and marks mails; the same again changes nothing. What was done is written down in groups: after an interruption the last ones
 * are done once more.
 *
 * @param stillMine asked before each group
 * @throws the first thing that went wrong; what was done before is written down. JobError `mailbox_renumbered` is not thrown: such mails stay.
 */
export async function fileMails(
  { mailbox, ledger, stillMine }: { mailbox: Mailbox; ledger: MailLedger; stillMine(): Promise<void> },
  mails: MailToFile[],
): Promise<void> {
  for (let at = 0; at < mails.length; at += writtenTogether) {
    await stillMine()
    const done: { messageId: number; done: string | null }[] = []
    try {
      for (const { messageId, ref, action, filedTo } of mails.slice(at, at + writtenTogether)) {
        const said = await actOn(mailbox, ref, { action, filedTo })
        if (said !== undefined) done.push({ messageId, done: said })
      }
    } finally {
      if (done.length > 0) await ledger.filed(done)
    }
  }
}

/** @returns undefined when its number means another mail now */
async function actOn(mailbox: Mailbox, ref: MessageRef, { action, filedTo }: Filing): Promise<string | null | undefined> {
  try {
    return await mailbox.act(ref, filedTo === null ? { kind: action } : { kind: action, label: filedTo })
  } catch (error) {
    if (error instanceof JobError && error.code === 'mailbox_renumbered') return undefined
    throw error
  }
}

import type { KnownMail } from '../../src/job/mails.ts'
import { JobError } from '../../systemscripts/errors.ts'
import type { MessageHead, MessageRef } from '../../systemscripts/mail/message-head.ts'
import { batchesOf } from './batches.ts'
import { judgeAndTake, type LookingThrough, settle } from './judge-and-take.ts'

/** After so many tries that did not come to an end a mail is put aside: it may be what ends them. */
const mostAttempts = 3

/**
 * Takes mails whose saving was interrupted, and those that people want looked at again: one by one, so that one that cannot be taken holds up
 * itself alone. One that is not to be found is `gone`, until it is met again.
 */
export async function takeAgain(looking: LookingThrough, mails: KnownMail[]): Promise<void> {
  for (const mail of mails) {
    looking.context.signal.throwIfAborted()
    if (mail.state === 'saving' && mail.attempts >= mostAttempts) await putAside(looking, mail)
    else await takeOne(looking, mail)
  }
}

async function takeOne(looking: LookingThrough, mail: KnownMail): Promise<void> {
  const head = await locate(looking, mail)
  if (head === null) await looking.ledger.lose([mail.messageId], 'it is not where it was seen')
  else {
    await judgeAndTake(looking, [{ head, messageId: mail.messageId }])
    await settle(looking)
  }
}

async function putAside(looking: LookingThrough, mail: KnownMail): Promise<void> {
  const { ledger, tally, context } = looking
  const reason = `its saving was begun ${mail.attempts} times and never came to an end`
  context.log(`Mail ${mail.messageId} is put aside: ${reason}`, {}, { level: 'error', step: mail.uid ?? '' })
  await ledger.endMails([
    {
      messageId: mail.messageId,
      state: 'failed',
      reason,
      errorCode: 'mail_not_saved',
      takenBy: null,
      action: null,
      filedTo: null,
      refusals: [],
      files: [],
    },
  ])
  tally.failed += 1
}

/** Where it was seen, else where it was filed. */
async function locate(looking: LookingThrough, mail: KnownMail): Promise<MessageHead | null> {
  const { folder, uidValidity, uid, filedTo, fingerprint } = mail
  const here = uid === null ? null : await findAmong(looking, [{ folder, uidValidity, uid }], fingerprint)
  if (here !== null || filedTo === null) return here
  return await findAmong(looking, await refsIn(looking, filedTo, mail), fingerprint)
}

const dayMs = 86_400_000

async function refsIn({ mailbox }: LookingThrough, folder: string, { receivedAt }: KnownMail): Promise<MessageRef[]> {
  const notBefore = receivedAt === null ? null : new Date(receivedAt.getTime() - 2 * dayMs)
  try {
    return (await mailbox.look(folder, { since: null, notBefore })).refs.toReversed()
  } catch (error) {
    if (error instanceof JobError && error.code === 'mail_folder_missing') return []
    throw error
  }
}

async function findAmong({ mailbox }: LookingThrough, refs: MessageRef[], fingerprint: string): Promise<MessageHead | null> {
  try {
    for (const batch of batchesOf(refs, 200)) {
      for await (const head of mailbox.heads(batch)) if (head.messageKey === fingerprint) return head
    }
  } catch (error) {
    if (!(error instanceof JobError && error.code === 'mailbox_renumbered')) throw error
  }
  return null
}

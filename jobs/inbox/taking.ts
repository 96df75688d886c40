import type { JobContext } from '../../src/job/define-job.ts'
import type { MailLedger } from '../../src/job/mails.ts'
import type { Mailbox } from '../../systemscripts/mail/mailbox.ts'
import type { InboxRequest } from './settings.ts'

export type InboxContext = JobContext<InboxRequest>

/** What the taking of mails works with. */
export interface Taking {
  context: InboxContext
  mailbox: Mailbox
  ledger: MailLedger
  connection: { kind: string; isReadOnly: boolean }
  /** Absolute folder of each rule's files, by config_name. */
  folders: Map<string, string>
  /** Where they lie before they get their names. */
  staging: Map<string, string>
  now: Date
  /** Paths that files in work are about to get. */
  claimed: Set<string>
}

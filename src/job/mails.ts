/** The ledger of mails, dba.message and what belongs to it, handed to jobs as `ctx.mails`. */
import type { MailCursor } from '../../systemscripts/mail/mailbox.ts'
import type { MessageHead, MessageRef } from '../../systemscripts/mail/message-head.ts'

export type MailState = 'unmatched' | 'saving' | 'saved' | 'filed' | 'refused' | 'failed' | 'gone' | 'duplicate' | 'retry' | 'dismissed'

/** What becomes of a mail in its mailbox. */
export type FilingAction = 'label' | 'move' | 'flag' | 'mark_read' | 'leave'

/** A mail that the ledger knows. */
export interface KnownMail {
  messageId: number
  /** Where it lies as far as is known; a `uid` of null: no longer there. */
  folder: string
  uidValidity: string
  uid: string | null
  /** Folder that rules look into and in which it was found. */
  foundIn: string
  fingerprint: string
  state: MailState
  receivedAt: Date | null
  /** Tries to save it that did not come to an end. */
  attempts: number
  action: FilingAction | null
  filedTo: string | null
  isFiled: boolean
}

/** What one rule made of a mail. */
export interface Decision {
  configName: string
  ruleOrder: number
  decision: 'matched' | 'not_matched' | 'refused' | 'not_asked'
  /** Column of dba.inboxconfig. */
  failedOn: string | null
  detail: string | null
}

/** What was found out about a mail, to be written down. */
export interface SeenMail {
  head: MessageHead
  /** Its row; null: it is new. */
  messageId: number | null
  state: MailState
  reason: string | null
  errorCode: string | null
  takenBy: string | null
  action: FilingAction | null
  filedTo: string | null
  /** Null: nobody had to know. */
  attachments: number | null
  decisions: Decision[]
}

/** A file of a mail that lies on the disk under a hidden name. */
export interface PlannedFile {
  messageId: number
  /** As in MessagePart.partId; `eml`: the whole mail. */
  part: string
  configName: string
  /** As it came. */
  fileName: string
  savedPath: string
  stagedPath: string
  sizeBytes: number
  sha256: string
}

/** A file that an earlier run has written down. */
export interface EarlierFile extends PlannedFile {
  isSaved: boolean
  /** An import has met it. */
  isTakenUp: boolean
}

/** How the taking of a mail ended. */
export interface MailEnd {
  messageId: number
  state: 'saved' | 'filed' | 'refused' | 'failed' | 'gone'
  reason: string | null
  errorCode: string | null
  takenBy: string | null
  action: FilingAction | null
  filedTo: string | null
  /** Rules that refused it once its bytes were here. */
  refusals: Pick<Decision, 'configName' | 'failedOn' | 'detail'>[]
  /** Where its files are. */
  files: Pick<PlannedFile, 'part' | 'configName' | 'savedPath'>[]
}

/** The ledger of one folder of one mailbox, which belongs to this run. Every write is one fenced transaction. */
export interface MailLedger {
  /** Where the last look ended; null: there was none. */
  cursor: MailCursor | null
  /** Of the rules by which the mails were judged that were left alone; null: none were. */
  rulesKey: string | null
  /** Time zone of the run's schedule. */
  timeZone: string
  /** The other active rules of this folder: rows of dba.inboxconfig as they are now. */
  otherRules(): Promise<Record<string, unknown>[]>
  /** Source folders, as they are written there, by name of dba.importconfig. @throws PermanentError `config_not_found` */
  importFolders(configNames: string[]): Promise<Map<string, string>>
  /** Mails that are safe, or refused, and not filed yet. */
  toFile(): Promise<KnownMail[]>
  /** Mails whose saving was interrupted, and those that people want looked at again. */
  toTake(): Promise<KnownMail[]>
  /** Mails that were left alone, of this numbering of the folder and received since. */
  unmatched(uidValidity: string, since: Date | null): Promise<MessageRef[]>
  /** Those of `refs` that are not known where they lie. */
  unknown(refs: MessageRef[]): Promise<MessageRef[]>
  /** What is known of mails of this mailbox, in whatever folder, by their fingerprints. */
  byFingerprint(fingerprints: string[]): Promise<KnownMail[]>
  /** Writes down what was found out. @returns the numbers of the mails, in the order given */
  record(mails: SeenMail[]): Promise<number[]>
  /** A mail that lies elsewhere than was known. */
  relocate(mails: { messageId: number; ref: MessageRef }[]): Promise<void>
  /** Their saving was begun and could not be ended for reasons of others: that try does not count. */
  forgive(messageIds: number[]): Promise<void>
  /** Mails that are not to be found. */
  lose(messageIds: number[], reason: string): Promise<void>
  /** What earlier runs have written down of these mails in their present round. */
  earlierFiles(messageIds: number[]): Promise<EarlierFile[]>
  /** Written down before the files get their names. */
  planFiles(files: PlannedFile[]): Promise<void>
  endMails(ends: MailEnd[]): Promise<void>
  /** `done` null: it was not there any more. */
  filed(mails: { messageId: number; done: string | null }[]): Promise<void>
  /** All has been dealt with. */
  end(facts: { account: string; cursor: MailCursor; rulesKey: string; startedAnew: string | null }): Promise<void>
}

/** One row of dba.rehearsalmail. */
export interface RehearsedMail extends Decision {
  position: number
  sender: string
  subject: string
  receivedAt: Date
  files: string[]
  wouldFileTo: string | null
}

export interface Mails {
  /** Makes a folder of a mailbox this run's own; waits while another live run has it. */
  open(connectionName: string, folder: string): Promise<MailLedger>
  /** The same for reading alone: waits for nobody. */
  peek(connectionName: string, folder: string): Promise<Pick<MailLedger, 'otherRules' | 'importFolders' | 'timeZone'>>
  /** Answers a rehearsal. */
  rehearsed(rehearsalId: number, facts: { messages: number; matched: number; message: string; mails: RehearsedMail[] }): Promise<void>
}

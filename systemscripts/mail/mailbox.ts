import type { MessageHead, MessageRef } from './message-head.ts'
import type { MessagePart } from './message-part.ts'

/** How far a folder was looked at; plain values, to be kept as JSON and given back. */
export interface MailCursor {
  uidValidity: string
  /** IMAP: highest number seen. Gmail: history id. Files: empty. */
  uid: string
  /** Message that had that number, to notice a mailbox that was put in its place; null when unknown. */
  witnessKey: string | null
  /** When it was looked at, ISO 8601. */
  lookedAt: string
}

export interface LookOptions {
  /** The cursor of the last look at this folder; null: there was none. */
  since: MailCursor | null
  /** Older messages are not wanted at all, whichever way they are found. Default: all are. */
  notBefore?: Date | null
  /** Messages that came in the last so many days are given again, whatever the cursor says. Default 0. */
  lookBackDays?: number
}

export interface Look {
  /** Oldest first as far as the server tells. A message may be among them that was seen before: compare messageKey. */
  refs: MessageRef[]
  /** To be kept when all of `refs` have been dealt with. */
  cursor: MailCursor
  /** Why the cursor did not count and the last 30 days (all, without a cursor) were searched instead; null when it did. */
  startedAnew: string | null
}

/** What to do with a message that has been dealt with. */
export interface MessageAction {
  kind: 'label' | 'move' | 'flag' | 'mark_read' | 'leave'
  /** Of `label` and `move`: made when missing. */
  label?: string
}

export interface WantedPart {
  ref: MessageRef
  part: MessagePart
}

/**
 * A mailbox, however it is reached. Reading changes nothing in it, not even whether a message was read; only `act` does.
 *
 * Every method throws JobError `mail_server_unreachable`, `mail_server_failed` when another try may help; PermanentError
 * `mail_login_refused`, `mail_certificate_refused`, `mail_folder_missing` when not; and the signal's reason when aborted.
 */
export interface Mailbox {
  /** Names the account in ledgers: `imap:us@example.org@imap.example.org`, `gmail:us@example.org`, `folder:/data/drop`. No secret. */
  readonly account: string
  /** Folders or labels, as people name them. */
  folders(): Promise<string[]>
  /** Which messages may be new. Cheap: nothing of them is read. */
  look(folder: string, options: LookOptions): Promise<Look>
  /** Headers, in batches, in the order of `refs`; messages that are gone meanwhile are left out. */
  heads(refs: MessageRef[]): AsyncIterable<MessageHead>
  /** The parts of messages, in the order of `refs`, those of winmail.dat included; messages that are gone are left out. */
  structures(refs: MessageRef[]): AsyncIterable<{ ref: MessageRef; root: MessagePart }>
  /**
   * Contents of parts, decoded, in the order wanted. Each is to be read, or given up, before the next is asked for. Small ones are fetched
   * together; a large one comes in pieces. Parts of messages that are gone are left out.
   */
  read(wanted: WantedPart[]): AsyncIterable<WantedPart & { content: AsyncIterable<Buffer> }>
  /** The whole message as it came, in pieces. @throws PermanentError `message_gone` */
  raw(ref: MessageRef): AsyncIterable<Buffer>
  /**
   * Carries out an action; the same again changes nothing.
   * @returns what was done, in words, such as `moved to "Processed"`; null when the message is gone
   */
  act(ref: MessageRef, action: MessageAction): Promise<string | null>
  /**
   * Waits until the server says that something came since the last look, at most so long. A hint only: true says look now, false nothing at all. Null: the
   * mailbox tells nobody.
   */
  hint: ((folder: string, timeoutSeconds: number) => Promise<boolean>) | null
  close(): Promise<void>
}

/** With a cursor that does not count any more so much is searched. */
export const ANEW_DAYS = 30

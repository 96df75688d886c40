/** Outgoing mail, dba.outbox, handed to jobs as `ctx.outbox`: stored before anything is sent, and sent once. */
import type { ClientBase } from 'pg'
import type { ComposedMail, DkimKey } from '../../systemscripts/outgoing-mail/composed-mail.ts'

/** What is done with a mail of which nobody knows whether the server took it. */
export type WhenUnknown = 'hold' | 'resend' | 'assume_sent'

/** A mail to be stored. */
export interface NewMail {
  /** Report, fire and recipients in one key: the same key is stored once, and so goes out once. */
  onceKey: string
  kind: 'report' | 'alert' | 'test'
  mail: ComposedMail
  /** Row of dba.connection; null: the setting mail_connection, and without one the folder `outbox` below the data folder. */
  connectionName: string | null
  /** Default: what the connection's options say, and then `hold`: a person decides. */
  whenUnknown?: WhenUnknown | null
  /** True: nobody sends it until a person says so (state = 'resend'). Default: false. */
  isHeld?: boolean
}

export type MailState = 'rendered' | 'resend' | 'sending' | 'sent' | 'refused' | 'unknown' | 'held' | 'cancelled'

/** A row of dba.outbox. */
export interface OutboxMail {
  outboxId: number
  onceKey: string
  subject: string
  state: MailState
  /** `waiting`: it has not been sent to this address yet. */
  recipients: { address: string; kind: 'to' | 'cc' | 'bcc' | 'also'; state: RecipientState; text: string | null }[]
  /** Why it is not `sent`: of the last try. */
  error: { code: string; message: string; detail: string | null; hint: string | null; isPermanent: boolean } | null
}

export type RecipientState = 'waiting' | 'sent' | 'refused' | 'unknown' | 'bounced' | 'cancelled'

export interface StoreOptions {
  /** A larger mail is refused while it is composed. Default: no limit. */
  maxBytes?: number | null | undefined
  /** Further writes in the same transaction. */
  within?: ((client: ClientBase, outboxIds: number[]) => Promise<void>) | undefined
}

export interface Outbox {
  /** The key for DKIM of that connection's options; null: mails that go out by it are not signed. @throws as Connections.get */
  dkimKey(connectionName: string | null): Promise<DkimKey | null>
  /**
   * Stores mails, all or none, in one transaction of the run. A mail whose key is stored already is left as it is: its bytes count.
   * Content is read once, in order, as it is written; memory does not grow with it.
   * @returns numbers in dba.outbox, in the order given
   * @throws PermanentError `mail_over_max_bytes`; what composing throws; lease_lost
   */
  store(mails: Iterable<NewMail> | AsyncIterable<NewMail>, options?: StoreOptions): Promise<number[]>
  /** Mails with these keys, whoever stored them; those that are not there are left out. */
  known(onceKeys: string[]): Promise<OutboxMail[]>
  /** Mails that these runs have stored, in any attempt. */
  ofRuns(runIds: string[]): Promise<OutboxMail[]>
  /**
   * Goes on with the mails of runs that this one repeats: those that no server was told of are forgotten, to be made anew; of the others those
   * recipients get the same bytes who were refused. Whose fate is unknown gets nothing.
   * @param addresses who is to have such a mail; others that were refused are let go. Null: the same as before.
   */
  takeOver(runIds: string[], addresses: string[] | null): Promise<void>
  /**
   * Sends those of these mails that have not been sent, each to the recipients that have not got it, and says how all of them stand. Twice
   * equals once. What an earlier attempt left `sending` is decided first. A mail that the server put off stays `rendered`, with the error:
   * call again in another attempt. Each is marked `sending`, and the run's lease proved, before the server is told of it.
   * @throws lease_lost, the signal's reason
   */
  send(outboxIds: number[]): Promise<OutboxMail[]>
}

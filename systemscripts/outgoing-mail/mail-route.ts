/** What every way out for mail has in common. */
import type { JobError } from '../errors.ts'

/** Who gets which mail. */
export interface Envelope {
  /** Bare addresses. */
  sender: string
  recipients: string[]
  messageId: string
  subject: string
  date: Date
  /** Of the content. */
  sizeBytes: number
  /** From 1: which time the same mail is sent on purpose. */
  round: number
}

export interface RecipientAnswer {
  address: string
  /** `deferred`: not now; it may be tried again. */
  state: 'sent' | 'refused' | 'deferred' | 'unknown'
  /** The server's code: 550. */
  code: string | null
  /** Its words. */
  text: string | null
}

/** What became of one try to hand a mail over. */
export interface Delivery {
  /**
   * `sent`: taken for at least one recipient. `refused`: for none, and trying again is of no use. `deferred`: for none, and it may be tried
   * again: nobody has it. `unknown`: all of it was handed over and no answer came.
   */
  state: 'sent' | 'refused' | 'deferred' | 'unknown'
  /** One per recipient, in their order. */
  recipients: RecipientAnswer[]
  /** What the server said to the whole. */
  response: string | null
  /** Why it is not `sent`; a PermanentError calls for a person. */
  error: JobError | null
}

export interface SendOptions {
  /** Called once a server is ready, or took another mail a moment ago, and before it is told of the mail; when it throws, nothing is sent and `send` throws the same. */
  onReady?: () => Promise<void>
  signal?: AbortSignal
}

export interface MailRoute {
  /**
   * Hands one mail over. Several calls go on at once as far as the route's limits allow; the others wait.
   * @param content gives the bytes anew at each call; asked for again where the first try broke off before its end
   * An abort breaks a dialogue off, and what became of the mail is answered.
   * @throws what `onReady` and `content` throw, the signal's reason before that; never for what the other side says
   */
  send(envelope: Envelope, content: () => AsyncIterable<Buffer>, options?: SendOptions): Promise<Delivery>
  /** Whether this mail was handed over in that round, after a try whose end nobody saw. Null: this way out cannot tell. */
  wasSent(envelope: Envelope): Promise<boolean | null>
  /** Connects and logs in, and sends nothing. @returns what was found, as a sentence. @throws JobError, PermanentError */
  check(signal: AbortSignal): Promise<string>
  close(): Promise<void>
}

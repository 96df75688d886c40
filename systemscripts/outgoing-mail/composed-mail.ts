/** A mail as its sender means it, and as bytes. */

/** An inline picture or an attached file. */
export interface MailFile {
  /** Shown to the reader, with extension. */
  fileName: string
  /** Read when the mail is composed; of a path as a stream. */
  content: Buffer | string | { path: string }
  /** Media type. Default: by the extension. */
  contentType?: string
  /** Stands within the HTML as `<img src="cid:…">`. Default: attached. */
  contentId?: string
}

export interface MailDraft {
  /** `Rota <rota@example.com>` or the address alone; so are all of them. */
  sender: string
  to: string[]
  cc?: string[]
  /** Get it too; no header names them. */
  bcc?: string[]
  replyTo?: string | null
  subject: string
  /** Null: text alone. */
  html: string | null
  /** Default: what the HTML shows. */
  text?: string
  files?: MailFile[]
  /** Address or addresses (mailto:, https:) for header List-Unsubscribe. */
  unsubscribe?: string[]
  /** Headers of one's own, names beginning with `X-`. */
  headers?: Record<string, string>
  /** Default: now. */
  date?: Date
  /** With its angle brackets. Default: a new one in the sender's domain. */
  messageId?: string
  dkim?: DkimKey | null
}

/** For signing: RFC 6376. */
export interface DkimKey {
  domain: string
  selector: string
  /** PEM. */
  privateKey: string
}

export interface MailRecipient {
  /** The bare address; the domain in ASCII. */
  address: string
  kind: 'to' | 'cc' | 'bcc'
}

export interface ComposedMail {
  /** The bare address. */
  sender: string
  /** Each address once. */
  recipients: MailRecipient[]
  subject: string
  messageId: string
  date: Date
  /** Beginning of the text part, for people who look it up. */
  excerpt: string
  /** The whole message with CRLF line ends, made while it is read; to be called once. */
  content(): AsyncIterable<Buffer>
}

/** Ways out for mail: SMTP, the Gmail API, a folder of .eml files. What is sent is composed by outgoing-mail/compose-mail.ts. */
import { type FolderRouteOptions, openFolderRoute } from './outgoing-mail/folder-route.ts'
import { type GmailRouteOptions, openGmailRoute } from './outgoing-mail/gmail-route.ts'
import type { MailRoute } from './outgoing-mail/mail-route.ts'
import type { SmtpOptions } from './outgoing-mail/smtp/options.ts'
import { openSmtpRoute } from './outgoing-mail/smtp-route.ts'

export type RouteOptions =
  | ({ kind: 'smtp' } & SmtpOptions)
  | ({ kind: 'gmail' } & GmailRouteOptions)
  | ({ kind: 'folder' } & FolderRouteOptions)

/** Opens a way out; nothing is connected before the first mail. */
export function openMailRoute(options: RouteOptions): MailRoute {
  if (options.kind === 'smtp') return openSmtpRoute(options)
  if (options.kind === 'gmail') return openGmailRoute(options)
  return openFolderRoute(options)
}

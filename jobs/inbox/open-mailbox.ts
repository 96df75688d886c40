import type { ConnectionFacts } from '../../src/job/connections.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { openEmlMailbox } from '../../systemscripts/mail/eml-mailbox.ts'
import { readGmailSecret } from '../../systemscripts/mail/gmail/credentials.ts'
import { openGmailMailbox } from '../../systemscripts/mail/gmail-mailbox.ts'
import { openImapMailbox } from '../../systemscripts/mail/imap-mailbox.ts'
import type { Mailbox } from '../../systemscripts/mail/mailbox.ts'
import { oauthLogin } from '../../systemscripts/mail/oauth-login.ts'

/**
 * Opens the mailbox that a row of dba.connection means: `imap`, `gmail`, or `folder` (of .eml files, in database_name).
 *
 * Options of imap: `auth` (`password` or `oauth`; default password), with oauth those of oauthLogin. `ca`: a certificate in PEM that is trusted too. `implicit_tls`: encrypted from
 * the first byte on another port than 993. Options of gmail: `root_url`, where the API is.
 *
 * @throws PermanentError `connection_incomplete`, and what the ways in throw
 */
export async function openMailbox(facts: ConnectionFacts, folder: (path: string) => string, signal: AbortSignal): Promise<Mailbox> {
  if (facts.kind === 'folder') return await openEmlMailbox(folder(needed(facts.databaseName, 'database_name', facts)), signal)
  const user = needed(facts.userName, 'user_name', facts)
  const secret = needed(facts.secret, 'secret_name', facts)
  if (facts.kind === 'gmail') {
    const rootUrl = option(facts, 'root_url')
    return await openGmailMailbox({ user, secret: readGmailSecret(secret, user), signal, ...(rootUrl === null ? {} : { rootUrl }) })
  }
  if (facts.kind !== 'imap') throw notAMailbox(facts)
  const ca = option(facts, 'ca')
  return await openImapMailbox({
    host: needed(facts.host, 'host', facts),
    port: facts.port,
    user,
    login: /^(oauth|oauth2|xoauth2|oauthbearer)$/i.test(option(facts, 'auth') ?? '')
      ? oauthLogin(facts, secret, signal)
      : { password: secret },
    tls: facts.tls,
    ...(facts.options.implicit_tls === true ? { isImplicitTls: true } : {}),
    ...(ca === null ? {} : { trusted: ca }),
    signal,
  })
}

function option({ options }: ConnectionFacts, name: string): string | null {
  const value = options[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function needed(value: string | null, column: string, { connectionName, kind }: ConnectionFacts): string {
  if (value !== null && value !== '') return value
  throw new PermanentError('connection_incomplete', `Connection "${connectionName}" of kind ${kind} has no ${column}`, {
    hint: `Fill dba.connection.${column}; a secret is set with: rota secret set <name>, for Gmail with: rota gmail-login <name>.`,
  })
}

function notAMailbox({ connectionName, kind }: ConnectionFacts): PermanentError {
  return new PermanentError('not_a_mailbox', `Connection "${connectionName}" is of kind ${kind}`, {
    hint: 'Name a connection of kind imap, gmail or folder in dba.inboxconfig.connection_name.',
  })
}

import { PermanentError } from '../../../systemscripts/errors.ts'
import { readGmailSecret } from '../../../systemscripts/mail/gmail/credentials.ts'
import { oauthLogin } from '../../../systemscripts/mail/oauth-login.ts'
import type { DkimKey } from '../../../systemscripts/outgoing-mail/composed-mail.ts'
import type { SmtpOptions } from '../../../systemscripts/outgoing-mail/smtp/options.ts'
import type { RouteOptions } from '../../../systemscripts/outgoing-mail.ts'
import type { ConnectionFacts } from '../../job/connections.ts'

/**
 * The way out that a row of dba.connection of kind smtp, gmail or folder means; its options are those that dba.check_mail_options knows.
 * @throws PermanentError `connection_incomplete`, `not_a_mail_route`, `connection_read_only`, `gmail_secret_invalid`
 */
export function routeOptions(facts: ConnectionFacts, folder: (path: string) => string): RouteOptions {
  if (facts.isReadOnly) {
    throw new PermanentError('connection_read_only', `Connection "${facts.connectionName}" is read-only, so no mail goes out by it`, {
      hint: 'Set is_read_only = false in dba.connection, or name another connection.',
    })
  }
  const { options } = facts
  const pace = { ...one('perSecond', count(options.per_second)), ...one('perMinute', count(options.per_minute)) }
  if (facts.kind === 'folder') return { kind: 'folder', folder: folder(needed(facts, facts.databaseName, 'database_name')) }
  if (facts.kind === 'gmail') {
    const user = needed(facts, facts.userName, 'user_name')
    const secret = readGmailSecret(needed(facts, facts.secret, 'secret_name'), user)
    return { kind: 'gmail', user, secret, ...one('rootUrl', text(options.root_url)), ...pace }
  }
  if (facts.kind === 'smtp') return { kind: 'smtp', ...smtpOptions(facts), ...pace }
  throw new PermanentError('not_a_mail_route', `Connection "${facts.connectionName}" is of kind ${facts.kind}`, {
    hint: 'Mail goes out by a connection of kind smtp, gmail or folder.',
  })
}

function smtpOptions(facts: ConnectionFacts): SmtpOptions {
  const { options } = facts
  return {
    host: needed(facts, facts.host, 'host'),
    port: facts.port,
    tls: facts.tls,
    user: facts.userName,
    login: loginOf(facts),
    ...(facts.options.implicit_tls === true ? { isImplicitTls: true } : {}),
    ...one('trusted', text(options.ca)),
    ...one('heloName', text(options.helo_name)),
    ...one('connections', count(options.connections)),
    ...one('mailsPerConnection', count(options.mails_per_connection)),
    ...one('timeoutSeconds', count(options.timeout_seconds)),
  }
}

function loginOf(facts: ConnectionFacts): SmtpOptions['login'] {
  if (facts.userName === null) return null
  const secret = needed(facts, facts.secret, 'secret_name')
  if (facts.options.auth !== 'oauth') return { password: secret }
  return oauthLogin(facts, secret)
}

/** Null: mails that go out by it are not signed. */
export function dkimKeyOf({ options, dkimKey }: ConnectionFacts): DkimKey | null {
  const [domain, selector] = [text(options.dkim_domain), text(options.dkim_selector)]
  return domain === null || selector === null || dkimKey === undefined ? null : { domain, selector, privateKey: dkimKey }
}

/** One option under the name that the route knows it by; nothing where it is not set. */
function one<Name extends string, Value>(name: Name, value: Value | null): Partial<Record<Name, Value>> {
  const found: Partial<Record<Name, Value>> = {}
  if (value !== null) found[name] = value
  return found
}

function count(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function needed({ connectionName, kind }: ConnectionFacts, value: string | null, column: string): string {
  if (value !== null && value !== '') return value
  throw new PermanentError('connection_incomplete', `Connection "${connectionName}" of kind ${kind} has no ${column}`, {
    hint: `Fill dba.connection.${column}; a secret is set with: rota secret set <name>, for Gmail with: rota gmail-login <name>.`,
  })
}

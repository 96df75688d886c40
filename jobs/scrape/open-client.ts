import type { ConnectionFacts, Connections } from '../../src/job/connections.ts'
import type { Hosts } from '../../src/job/hosts.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { type LoginForm, logIn } from '../../systemscripts/web/log-in.ts'
import type { Patience } from '../../systemscripts/web/manners/backoff.ts'
import { openWebClient } from '../../systemscripts/web/open-web-client.ts'
import type { Credentials, WebClient } from '../../systemscripts/web/web-client.ts'
import { privateHosts } from './private-hosts.ts'
import type { ScrapeSettings } from './settings.ts'

export interface ClientContext {
  config: ScrapeSettings
  connections: Connections
  hosts: Hosts
  signal: AbortSignal
}

/**
 * A client with the manners that dba.scrapehost asks for and the access that the connection gives, logged in where it has a form.
 * @throws PermanentError `connection_not_found`, `secret_not_found`; as logIn
 */
export async function openClient(context: ClientContext, patience: Partial<Patience>): Promise<WebClient> {
  const { config: settings, connections, hosts, signal } = context
  const connection = settings.connectionName === null ? null : await connections.get(settings.connectionName)
  const hostRules = await hosts.rules()
  const client = openWebClient({
    budget: hosts.budget,
    robotsCache: hosts.robotsCache,
    hostRules,
    allowPrivate: privateHosts(settings, connection, (host) => hostRules(host).hasRow),
    idleSeconds: settings.pageSeconds,
    patience,
    ...(connection === null ? {} : accessOf(connection, new URL(settings.startUrl.replaceAll('{id}', '0')).origin)),
  })
  try {
    const form = connection === null ? null : loginForm(connection)
    if (form !== null) await logIn(client, form, { signal })
    return client
  } catch (error) {
    await client.close()
    throw error
  }
}

/** What a connection of kind http says beside a form: user and password, a token, a proxy, a language. */
function accessOf(connection: ConnectionFacts, origin: string) {
  const { options } = connection
  const proxy = textOf(options, 'proxy_url')
  const credentials = credentialsOf(connection)
  return {
    authorization: credentials === null ? null : { origin, credentials },
    proxy: proxy === null ? null : { url: proxy },
    acceptLanguage: textOf(options, 'accept_language'),
  }
}

function credentialsOf({ userName, secret, options }: ConnectionFacts): Credentials | null {
  const kind = textOf(options, 'auth') ?? (textOf(options, 'login_url') === null ? 'basic' : 'form')
  if (secret === null || kind === 'form') return null
  return kind === 'bearer' ? { kind, token: secret } : { kind: 'basic', user: userName ?? '', password: secret }
}

function loginForm({ connectionName, userName, secret, options }: ConnectionFacts): LoginForm | null {
  const url = textOf(options, 'login_url')
  if (url === null) return null
  if (secret === null) {
    throw new PermanentError('secret_not_found', `Connection "${connectionName}" logs in by a form and has no secret`, {
      hint: 'Name the secret in secret_name of dba.connection.',
    })
  }
  const userField = textOf(options, 'user_field') ?? 'username'
  const passwordField = textOf(options, 'password_field') ?? 'password'
  return {
    url,
    formSelector: textOf(options, 'form_selector'),
    fields: { ...(userName === null ? {} : { [userField]: userName }), [passwordField]: secret },
    proofSelector: textOf(options, 'proof_selector'),
    proofPattern: textOf(options, 'proof_pattern'),
  }
}

function textOf(options: Record<string, unknown>, key: string): string | null {
  const value = options[key]
  return typeof value === 'string' && value !== '' ? value : null
}

import { PermanentError } from '../errors.ts'
import { microsoftTokenUrl, type TokenGrant, type TokenSource, tokenCache } from './oauth-token.ts'

/** A row of dba.connection whose login is by token, as far as that goes. */
export interface OauthFacts {
  connectionName: string
  kind: string
  options: Record<string, unknown>
}

/** A login by access token; with true, by one that is asked for anew, since the server did not take the last. */
export interface TokenLogin {
  accessToken(isAnew?: boolean): Promise<string>
}

/** What Microsoft 365 calls everything that an application was granted for mail. */
const MICROSOFT_SCOPE = 'https://outlook.office365.com/.default'

/**
 * The login that a connection's options mean: `tenant` (Microsoft 365) or `token_url`, `client_id`, `scope`. Its secret is the client's, or JSON
 * with `refresh_token` and, where there are such, `client_secret` and `client_id`. Asks for nothing before it is used.
 *
 * @throws PermanentError `connection_incomplete`
 */
export function oauthLogin(facts: OauthFacts, secret: string, signal?: AbortSignal): TokenLogin {
  const token = tokenCache({ ...sourceOf(facts, secret), ...(signal ? { signal } : {}) })
  return { accessToken: async (isAnew) => (await token(isAnew)).token }
}

function sourceOf(facts: OauthFacts, secret: string): TokenSource {
  const [tenant, tokenUrl, scope] = [facts.options.tenant, facts.options.token_url, facts.options.scope].map(text)
  if (tokenUrl != null) return { tokenUrl, grant: grantOf(facts, secret), scope: scope ?? null }
  if (tenant == null) throw incomplete(facts, 'tenant')
  return { tokenUrl: microsoftTokenUrl(tenant), grant: grantOf(facts, secret), scope: scope ?? MICROSOFT_SCOPE }
}

function grantOf(facts: OauthFacts, secret: string): TokenGrant {
  const json = parsed(secret)
  const clientId = text(facts.options.client_id) ?? text(json.client_id)
  if (clientId === null) throw incomplete(facts, 'client_id')
  const [refreshToken, clientSecret] = [text(json.refresh_token), text(json.client_secret)]
  if (refreshToken !== null) return { kind: 'refresh_token', clientId, clientSecret, refreshToken }
  return { kind: 'client_credentials', clientId, clientSecret: clientSecret ?? secret }
}

function parsed(secret: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(secret)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function incomplete({ connectionName, kind }: OauthFacts, option: string): PermanentError {
  return new PermanentError('connection_incomplete', `Connection "${connectionName}" of kind ${kind} has no options ->> ${option}`, {
    hint: `Add it to dba.connection.options: options || '{"${option}": "…"}'.`,
  })
}

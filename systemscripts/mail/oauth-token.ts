import { createSign } from 'node:crypto'
import { JobError, PermanentError } from '../errors.ts'

/** How an access token is come by. */
export type TokenGrant =
  /** A person consented once. */
  | { kind: 'refresh_token'; clientId: string; clientSecret: string | null; refreshToken: string }
  /** An application of its own, as Microsoft 365 knows them. */
  | { kind: 'client_credentials'; clientId: string; clientSecret: string }
  /** A service account; `subject` is the user in whose name it acts (delegation over the domain). */
  | { kind: 'service_account'; clientEmail: string; privateKey: string; subject: string | null }

export interface TokenSource {
  tokenUrl: string
  grant: TokenGrant
  /** With blanks between them; where the server asks for it. */
  scope: string | null
  signal?: AbortSignal
}

export interface AccessToken {
  token: string
  expiresAt: Date
}

export const GOOGLE_TOKEN_URL = 'https://oauth2.googleapis.com/token'

/** Token endpoint of Microsoft 365. @param tenant its id or domain */
export function microsoftTokenUrl(tenant: string): string {
  return `https://login.microsoftonline.com/${encodeURIComponent(tenant)}/oauth2/v2.0/token`
}

/** Gives the same token until a minute before it ends, then a new one; with true a new one at once. */
export function tokenCache(source: TokenSource): (isAnew?: boolean) => Promise<AccessToken> {
  let known: AccessToken | null = null
  return async (isAnew = false) => {
    if (isAnew || known === null || known.expiresAt.getTime() < Date.now() + 60_000) known = await fetchAccessToken(source)
    return known
  }
}

/**
 * Asks for an access token. Sources: RFC 6749, 4.4 and 6; RFC 7523 (service accounts).
 * @throws PermanentError `mail_token_refused` when consent or secret no longer count; JobError `mail_token_unavailable`
 */
export async function fetchAccessToken(source: TokenSource): Promise<AccessToken> {
  const signal = AbortSignal.any([AbortSignal.timeout(30_000), ...(source.signal ? [source.signal] : [])])
  try {
    const response = await fetch(source.tokenUrl, { method: 'POST', body: bodyOf(source), signal, redirect: 'error' })
    const answer: unknown = await response.json().catch(() => ({}))
    const token = read(answer, 'access_token')
    if (response.ok && typeof token === 'string') {
      return { token, expiresAt: new Date(Date.now() + (Number(read(answer, 'expires_in')) || 3600) * 1000) }
    }
    throw refusal(source, response.status, answer)
  } catch (error) {
    source.signal?.throwIfAborted()
    if (error instanceof JobError) throw error
    throw new JobError('mail_token_unavailable', 'The token server cannot be reached', {
      detail: `${new URL(source.tokenUrl).host}: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'See whether the network lets this machine through; it is tried again.',
      cause: error,
    })
  }
}

function bodyOf({ grant, scope, tokenUrl }: TokenSource): URLSearchParams {
  const withScope = scope === null ? {} : { scope }
  if (grant.kind === 'service_account') {
    return new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: assertionOf(grant, scope ?? '', tokenUrl),
    })
  }
  const client = { client_id: grant.clientId, ...(grant.clientSecret === null ? {} : { client_secret: grant.clientSecret }) }
  if (grant.kind === 'client_credentials') return new URLSearchParams({ grant_type: 'client_credentials', ...client, ...withScope })
  return new URLSearchParams({ grant_type: 'refresh_token', refresh_token: grant.refreshToken, ...client, ...withScope })
}

function assertionOf(grant: Extract<TokenGrant, { kind: 'service_account' }>, scope: string, audience: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: grant.clientEmail,
    scope,
    aud: audience,
    iat: now,
    exp: now + 3600,
    ...(grant.subject === null ? {} : { sub: grant.subject }),
  }
  const text = [{ alg: 'RS256', typ: 'JWT' }, claims].map((each) => Buffer.from(JSON.stringify(each)).toString('base64url')).join('.')
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(grant.privateKey, 'base64url')}`
  } catch (cause) {
    throw new PermanentError('mail_token_refused', `The private key of service account "${grant.clientEmail}" cannot be used`, {
      detail: 'It is not an RSA key in PEM.',
      hint: 'Store the whole JSON key of the service account again: rota secret set.',
      cause,
    })
  }
}

/** What the server says is shown, save for what was sent to it. */
function refusal({ tokenUrl, grant }: TokenSource, status: number, answer: unknown): JobError {
  const said = [read(answer, 'error'), read(answer, 'error_description')].filter((text) => typeof text === 'string').join(': ')
  const facts = {
    detail: `${new URL(tokenUrl).host} answered ${status}${said === '' ? '' : `: ${said.slice(0, 500)}`}`,
    hint:
      grant.kind === 'refresh_token'
        ? 'Consent again: rota gmail-login, or the login of your provider.'
        : 'Check the account, its secret and what it is allowed to do.',
  }
  if (status === 429 || status >= 500) return new JobError('mail_token_unavailable', 'The token server failed', facts)
  return new PermanentError('mail_token_refused', 'The token server refused a token', facts)
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

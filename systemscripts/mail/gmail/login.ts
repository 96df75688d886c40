import type { OAuth2Client } from 'google-auth-library'
import { PermanentError } from '../../errors.ts'
import { GMAIL_SCOPE, type GoogleClient } from './credentials.ts'

/** What must be kept between the address that is printed and the one that is pasted. */
export interface PendingLogin {
  /** To be opened in any browser, on any machine. */
  url: string
  state: string
  codeVerifier: string
}

/** Nobody listens there: the browser shows an error, and the address in its bar holds the code. */
const REDIRECT_URL = 'http://127.0.0.1:1/'

/** Begins a consent for a machine without browser. Source: RFC 8252 (native applications), RFC 7636 (PKCE). */
export async function beginGmailLogin(client: GoogleClient, user?: string): Promise<PendingLogin> {
  const { CodeChallengeMethod } = await import('google-auth-library')
  const oauth = await oauthClient(client)
  const { codeVerifier, codeChallenge } = await oauth.generateCodeVerifierAsync()
  const state = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url')
  const url = oauth.generateAuthUrl({
    access_type: 'offline',
    // Without it Google gives no refresh token to somebody who consented before.
    prompt: 'consent',
    scope: GMAIL_SCOPE,
    state,
    code_challenge_method: CodeChallengeMethod.S256,
    ...(codeChallenge === undefined ? {} : { code_challenge: codeChallenge }),
    ...(user === undefined ? {} : { login_hint: user }),
  })
  return { url, state, codeVerifier }
}

/**
 * Turns the address to which the browser was sent into what is stored.
 *
 * @param pasted the whole address, or only its code
 * @returns JSON for dba.secret; see readGmailSecret
 * @throws PermanentError `gmail_login_denied`, `gmail_login_not_read`, `gmail_login_foreign`, `gmail_login_incomplete`
 */
export async function finishGmailLogin(client: GoogleClient, { state, codeVerifier }: PendingLogin, pasted: string): Promise<string> {
  const oauth = await oauthClient(client)
  const { tokens } = await oauth.getToken({ code: codeOf(pasted, state), codeVerifier }).catch((cause) => {
    throw refused('gmail_login_denied', 'Google did not take the code', cause instanceof Error ? cause.message : 'no reason given')
  })
  if (!tokens.refresh_token) {
    throw refused('gmail_login_incomplete', 'Google gave no refresh token', 'The consent was for this once only.')
  }
  return JSON.stringify({
    client_id: client.clientId,
    ...(client.clientSecret === null ? {} : { client_secret: client.clientSecret }),
    refresh_token: tokens.refresh_token,
    token_uri: client.tokenUrl,
  })
}

async function oauthClient({ clientId, clientSecret, tokenUrl }: GoogleClient): Promise<OAuth2Client> {
  const { OAuth2Client } = await import('google-auth-library')
  return new OAuth2Client({
    clientId,
    ...(clientSecret === null ? {} : { clientSecret }),
    redirectUri: REDIRECT_URL,
    endpoints: { oauth2TokenUrl: tokenUrl },
  })
}

function codeOf(pasted: string, state: string): string {
  const text = pasted.trim().replace(/^["'<]|["'>]$/g, '')
  if (/^[\w/.~%-]+$/.test(text) && !text.includes('://') && text.length > 10) return decodeURIComponent(text)
  const query = URL.canParse(text) ? new URL(text).searchParams : new URLSearchParams(text.replace(/^\?/, ''))
  const error = query.get('error')
  if (error !== null) throw refused('gmail_login_denied', 'The consent was refused', `Google says: ${error.slice(0, 200)}.`)
  const code = query.get('code')
  if (code === null)
    throw refused('gmail_login_not_read', 'What was pasted holds no code', 'It should begin with http://127.0.0.1 and hold "code=".')
  if (query.get('state') !== state) {
    throw refused(
      'gmail_login_foreign',
      'What was pasted belongs to another login',
      'Its state is not the one of the address that was printed last.',
    )
  }
  return code
}

function refused(code: string, message: string, detail: string): PermanentError {
  return new PermanentError(code, message, { detail, hint: 'Run rota gmail-login again and paste the whole address from the browser.' })
}

import { PermanentError } from '../../errors.ts'
import { GOOGLE_TOKEN_URL, type TokenGrant } from '../oauth-token.ts'

/** Reading, labelling and moving; not deleting for good. */
export const GMAIL_SCOPE = 'https://www.googleapis.com/auth/gmail.modify'

export interface GmailSecret {
  grant: TokenGrant
  tokenUrl: string
}

/** What a person downloads from Google for a desktop application. */
export interface GoogleClient {
  clientId: string
  clientSecret: string | null
  tokenUrl: string
}

/**
 * The secret of a gmail connection: JSON with `client_id`, `client_secret` and `refresh_token`, as `rota gmail-login` stores it, or the JSON key
 * of a service account, which acts for `user`.
 *
 * @throws PermanentError `gmail_secret_invalid`
 */
export function readGmailSecret(text: string, user: string): GmailSecret {
  const json = parseObject(text)
  const value = (name: string): string | null => stringOf(json, name)
  const tokenUrl = value('token_uri') ?? GOOGLE_TOKEN_URL
  const [clientEmail, privateKey] = [value('client_email'), value('private_key')]
  if (clientEmail !== null && privateKey !== null) {
    return { tokenUrl, grant: { kind: 'service_account', clientEmail, privateKey, subject: user } }
  }
  const [clientId, refreshToken] = [value('client_id'), value('refresh_token')]
  if (clientId !== null && refreshToken !== null) {
    return { tokenUrl, grant: { kind: 'refresh_token', clientId, clientSecret: value('client_secret'), refreshToken } }
  }
  throw secretInvalid('It has neither "refresh_token" with "client_id" nor "client_email" with "private_key".')
}

/** @throws PermanentError `gmail_secret_invalid` */
export function readGoogleClient(text: string): GoogleClient {
  const all = parseObject(text)
  const json = objectOf(all, 'installed') ?? objectOf(all, 'web') ?? all
  const clientId = stringOf(json, 'client_id')
  if (clientId === null) throw secretInvalid('It has no "client_id".')
  return { clientId, clientSecret: stringOf(json, 'client_secret'), tokenUrl: stringOf(json, 'token_uri') ?? GOOGLE_TOKEN_URL }
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // The parser's own message would show a piece of the secret.
  }
  throw secretInvalid('It is no JSON.')
}

function stringOf(json: object, name: string): string | null {
  const value: unknown = Reflect.get(json, name)
  return typeof value === 'string' && value !== '' ? value : null
}

function objectOf(json: object, name: string): object | null {
  const value: unknown = Reflect.get(json, name)
  return typeof value === 'object' && value !== null ? value : null
}

function secretInvalid(detail: string): PermanentError {
  return new PermanentError('gmail_secret_invalid', 'The secret of the gmail connection is not what Google needs', {
    detail,
    hint: 'Store it again: rota gmail-login, or rota secret set with the JSON key of a service account.',
  })
}

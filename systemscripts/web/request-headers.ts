import type { Credentials, WebClient } from './web-client.ts'

export interface WantedHeaders {
  /** The address that was asked for first. */
  url: URL
  headers?: Record<string, string>
  etag?: string | null
  lastModified?: string | null
}

/**
 * The headers of one request on the way: what the caller gave, and the login, go to the origin that they are meant for, never to one that a
 * redirect led to. Cookies follow RFC 6265.
 */
export function requestHeaders(
  client: WebClient,
  wanted: WantedHeaders,
  request: { url: URL; body: string | null },
): Record<string, string> {
  const { url, body } = request
  const authorization = client.authorization?.origin === url.origin ? authorizationHeader(client.authorization.credentials) : null
  const cookies = client.jar.getCookieStringSync(url.href)
  return {
    'user-agent': client.userAgentFor(url.host),
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'accept-encoding': 'gzip, deflate, br, zstd',
    ...(client.acceptLanguage === null ? {} : { 'accept-language': client.acceptLanguage }),
    ...(wanted.etag ? { 'if-none-match': wanted.etag } : {}),
    ...(wanted.lastModified ? { 'if-modified-since': wanted.lastModified } : {}),
    ...(body === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(url.origin === wanted.url.origin ? wanted.headers : {}),
    ...(authorization === null ? {} : { authorization }),
    ...(cookies === '' ? {} : { cookie: cookies }),
  }
}

export function authorizationHeader(credentials: Credentials): string {
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`
  return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`
}

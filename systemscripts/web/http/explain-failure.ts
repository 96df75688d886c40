import { JobError, PermanentError } from '../../errors.ts'
import { pageTimeout, proxyLoginRequired } from '../refusals.ts'

const CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY|GET|DECRYPT|DECODE)_|ERR_TLS_CERT_ALTNAME|INVALID_CA|HOSTNAME_MISMATCH)/
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'])

/**
 * What went wrong between us and a server, in words. Errors that have them already are passed on.
 * Only a certificate cannot be mended by a retry; names, routes and connections come back.
 */
export function explainFailure(error: unknown, url: URL, seconds: { connect: number; idle: number }): unknown {
  const known = causes(error).find((one) => one instanceof JobError)
  if (known !== undefined) return known
  const all = causes(error)
  const codes = all.map(codeOf).filter((code) => code !== '')
  const words = all.map((one) => (one instanceof Error ? one.message : String(one))).find((one) => one !== '') ?? 'no reason given'
  const has = (...wanted: string[]): boolean => wanted.some((code) => codes.includes(code))
  const host = url.host

  if (codes.some((code) => CERTIFICATE.test(code))) {
    return new PermanentError('certificate_invalid', `The certificate of "${host}" is not to be trusted`, {
      detail: `${codes.find((code) => CERTIFICATE.test(code))}: ${words}.`,
      hint: 'Tell the people of the site. For a certificate of your own authority set NODE_EXTRA_CA_CERTS where the worker starts.',
      cause: error,
    })
  }
  if (/^Proxy\b.*\(407\)/.test(words)) return proxyLoginRequired(words)
  if (has('UND_ERR_INVALID_ARG')) {
    return new PermanentError('request_invalid', `A request to "${host}" cannot be made`, {
      detail: words,
      hint: 'See whether the user agent, a header or the form has a character that no request may hold.',
      cause: error,
    })
  }
  if (has('UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT')) return pageTimeout(url.href, 'The connection', seconds.connect)
  if (has('UND_ERR_HEADERS_TIMEOUT')) return pageTimeout(url.href, 'The beginning of the answer', seconds.idle)
  if (has('UND_ERR_BODY_TIMEOUT')) return pageTimeout(url.href, 'A piece of the body', seconds.idle)
  if (has('ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'ENODATA')) {
    return new JobError('host_not_found', `No address is known for "${url.hostname}"`, {
      detail: words,
      hint: 'See whether the name is written right and whether the name server answers.',
      cause: error,
    })
  }
  if (codes.some((code) => UNREACHABLE.has(code))) {
    return new JobError('host_unreachable', `"${host}" cannot be reached`, {
      detail: words,
      hint: 'See whether the site is down, and whether this machine may reach it.',
      cause: error,
    })
  }
  if (codes.some((code) => code.startsWith('ERR_SSL') || code === 'EPROTO')) {
    return new JobError('tls_failed', `"${host}" does not speak TLS as it should`, {
      detail: words,
      hint: 'See whether the address should begin with http://, or the site has a fault.',
      cause: error,
    })
  }
  if (codes.length === 0 && !/terminated|closed|aborted|proxy/i.test(words)) return error
  return new JobError('connection_lost', `The connection to "${host}" broke`, {
    detail: words,
    hint: 'Nothing, if it happens seldom: a retry mends it.',
    cause: error,
  })
}

/** The error, what it was caused by, and what it is made of, outermost first. */
function causes(error: unknown): unknown[] {
  const found: unknown[] = []
  const waiting: unknown[] = [error]
  for (let one = waiting.shift(); one !== undefined && one !== null && found.length < 20; one = waiting.shift()) {
    found.push(one)
    if (one instanceof AggregateError) waiting.push(...one.errors)
    if (one instanceof Error && !(one instanceof JobError)) waiting.push(one.cause)
  }
  return found
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

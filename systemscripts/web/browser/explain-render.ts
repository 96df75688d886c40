import { errors } from 'playwright-core'
import { JobError, PermanentError } from '../../errors.ts'
import type { Deadline } from '../http/deadline.ts'
import { explainFailure } from '../http/explain-failure.ts'
import { pageTimeout, pageTooLarge } from '../refusals.ts'
import type { WebClient } from '../web-client.ts'
import type { GuardProxy } from './guard-proxy.ts'

export interface RenderFacts {
  url: URL
  options: { signal: AbortSignal; wholeSeconds: number; maxBytes: number }
  client: WebClient
  limit: Deadline
  guard: GuardProxy
}

/** What went wrong in the browser, in words. The real reason often is one that our proxy knows. */
export function explainRender(error: unknown, { url, options, client, limit, guard }: RenderFacts): unknown {
  if (options.signal.aborted) return options.signal.reason
  if (limit.hasPassed()) return pageTimeout(url.href, 'All of it', options.wholeSeconds)
  if (guard.isOverLimit()) return pageTooLarge(url.href, options.maxBytes, 'With all that it loads it goes on beyond that')
  if (error instanceof JobError) return error
  const words = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  if (/net::ERR_(TUNNEL_CONNECTION_FAILED|EMPTY_RESPONSE|CONNECTION_\w+|PROXY_\w+)/.test(words)) {
    const [host, failure] = [...guard.failures].at(-1) ?? [url.host, error]
    return explainFailure(failure, URL.parse(`${url.protocol}//${host}/`) ?? url, {
      connect: client.connectSeconds,
      idle: client.idleSeconds,
    })
  }
  if (/net::ERR_CERT_/.test(words)) {
    return new PermanentError('certificate_invalid', `The certificate of "${url.host}" is not to be trusted`, {
      detail: words,
      hint: 'Tell the people of the site.',
      cause: error,
    })
  }
  if (/Download is starting|net::ERR_ABORTED/.test(words)) {
    return new PermanentError('page_is_a_file', `${url.href} is a file and no page`, {
      detail: words,
      hint: "Fetch it with render = 'none'.",
      cause: error,
    })
  }
  if (error instanceof errors.TimeoutError) return pageTimeout(url.href, 'A step in the browser', options.wholeSeconds)
  return new JobError('browser_failed', `Chromium failed on ${url.href}`, {
    detail: words,
    hint: 'Nothing, if it happens seldom: a retry starts it anew.',
    cause: error,
  })
}

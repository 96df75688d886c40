import { PermanentError } from '../errors.ts'
import { webBody } from './http/body.ts'
import type { FetchRobots } from './manners/robots.ts'
import { visit } from './visit.ts'
import type { WebClient } from './web-client.ts'

/** RFC 9309, 2.5: at least 500 kibibytes are read; what is behind them does not count. */
const READ_BYTES = 500 * 1024

/** One try: who wants a page tries again with the page. Client errors mean that there are no rules, server errors that nothing is allowed. */
export async function fetchRobots(client: WebClient, url: URL, signal: AbortSignal): ReturnType<FetchRobots> {
  try {
    return await visit(
      client,
      { url, signal, method: 'GET', accepts: (status) => status !== 429, isRobots: true, wholeSeconds: client.idleSeconds },
      async ({ response }) => {
        const body = await webBody(response, READ_BYTES, 'cut')
        if (response.status >= 500) return { kind: 'away', text: '' }
        if (response.status >= 300) return { kind: 'open', text: '' }
        return { kind: 'file', text: body.toString('utf8').replace(/^\ufeff/, '') }
      },
    )
  } catch (error) {
    if (error instanceof PermanentError && error.code === 'too_many_redirects') return { kind: 'open', text: '' }
    throw error
  }
}

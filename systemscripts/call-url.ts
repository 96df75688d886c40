import { Agent } from 'undici'
import { JobError, PermanentError } from './errors.ts'
import { checkedConnector } from './web/address/checked-connect.ts'
import { refusePrivateLiteral, webAddress } from './web/address/web-address.ts'
import { send } from './web/http/send.ts'

export interface UrlCall {
  /** May hold a secret in its path or query: no error names more of it than the host. */
  url: string
  method: 'GET' | 'POST'
  headers?: Record<string, string>
  /** JSON text. Default: none. */
  body?: string | null
  /** Whether it may lead into an inner network. */
  allowsPrivate: boolean
  timeoutSeconds: number
  signal?: AbortSignal
}

/** Far more than anybody reads. */
const READ_BYTES = 2000

/**
 * Calls an address once and reads the beginning of what it says. Follows no redirect: who is called is who was written.
 *
 * @returns the status (2xx) and the first 2,000 bytes of the answer
 * @throws JobError `call_refused` (another status), `call_failed` (no answer); PermanentError `address_invalid`, `scheme_refused`, `private_address`
 */
export async function callUrl(call: UrlCall): Promise<{ status: number; text: string }> {
  const { timeoutSeconds, allowsPrivate, signal } = call
  const url = checkedUrl(call.url, allowsPrivate)
  const limit = AbortSignal.timeout(timeoutSeconds * 1000)
  const both = signal === undefined ? limit : AbortSignal.any([limit, signal])
  const agent = new Agent({
    connect: checkedConnector({ allowsPrivate: () => allowsPrivate, connectSeconds: timeoutSeconds, trusted: null }),
  })
  try {
    const answer = await send(agent, {
      url,
      method: call.method,
      headers: { 'user-agent': 'Rota', ...(call.body == null ? {} : { 'content-type': 'application/json' }), ...call.headers },
      body: call.body ?? null,
      signal: both,
    })
    const text = await beginning(answer.body)
    answer.discard()
    if (answer.status >= 200 && answer.status < 300) return { status: answer.status, text }
    throw new JobError('call_refused', `${url.host} answered ${answer.status}`, {
      ...(text === '' ? {} : { detail: text.slice(0, 300) }),
      hint:
        answer.status < 500 && answer.status !== 429
          ? 'Correct the address, or have it made anew at the other side.'
          : 'It is tried again.',
    })
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof JobError) throw cause
    throw new JobError('call_failed', `${url.host} does not answer`, {
      detail: limit.aborted ? `Nothing came within ${timeoutSeconds} seconds.` : wordsOf(cause),
      cause,
    })
  } finally {
    await agent.destroy().catch(() => undefined)
  }
}

/** @throws as callUrl, without the address in it */
export function checkedUrl(text: string, allowsPrivate: boolean): URL {
  let url: URL
  try {
    url = webAddress(text)
  } catch {
    throw new PermanentError('address_invalid', 'What is to be called is no web address', { hint: 'Write it as https://host/path.' })
  }
  refusePrivateLiteral(url, () => allowsPrivate)
  return url
}

async function beginning(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    pieces.push(piece)
    length += piece.length
    if (length >= READ_BYTES) break
  }
  return Buffer.concat(pieces).subarray(0, READ_BYTES).toString('utf8').trim()
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

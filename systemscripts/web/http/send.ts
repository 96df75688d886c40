import type { Dispatcher } from 'undici'

export interface WebRequest {
  url: URL
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body: string | null
  signal: AbortSignal
}

/** An answer whose body is still to be read, or destroyed. */
export interface WebResponse {
  url: URL
  status: number
  /** Values of a header that came several times are joined by commas. */
  header(name: string): string | null
  setCookies: string[]
  /** As sent, still packed. Read it once, to its end, or discard it. */
  body: AsyncIterable<Buffer>
  /** Reads a short rest, so that the connection can serve again. A long one ends the connection. */
  drain(): Promise<void>
  /** Ends the connection when the body is not at its end. */
  discard(): void
}

/** Cheaper to read than a new connection. */
const DRAINED_BYTES = 64 * 1024

/** One request, one answer: no redirect followed, nothing unpacked, no status judged. */
export async function send(dispatcher: Dispatcher, { url, method, headers, body, signal }: WebRequest): Promise<WebResponse> {
  const answer = await dispatcher.request({ origin: url.origin, path: url.pathname + url.search, method, headers, body, signal })
  // An answer that nobody reads may still break.
  answer.body.on('error', () => {})
  const cookies = answer.headers['set-cookie']
  return {
    url,
    status: answer.statusCode,
    header: (name) => {
      const value = answer.headers[name]
      return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value
    },
    setCookies: cookies === undefined ? [] : Array.isArray(cookies) ? cookies : [cookies],
    body: answer.body,
    drain: () => answer.body.dump({ limit: DRAINED_BYTES, signal }),
    discard: () => {
      if (!answer.body.readableEnded) answer.body.destroy()
    },
  }
}

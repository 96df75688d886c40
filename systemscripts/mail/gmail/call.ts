import { setTimeout as wait } from 'node:timers/promises'
import { JobError, PermanentError } from '../../errors.ts'

const MOST_TRIES = 7
const FIRST_DELAY_MS = 1000
const LONGEST_DELAY_MS = 64_000

export interface CallOptions {
  signal?: AbortSignal | undefined
  /** Times all waits. Default 1; tests take less. */
  patience?: number
}

/**
 * Calls the Gmail API. What it answers for the moment (too many requests, server errors, a lost connection) is tried again up to six times, each
 * after a random time below a limit that doubles from one second to 64, or after what Retry-After says.
 *
 * Source: developers.google.com/workspace/gmail/api/guides/handle-errors.
 *
 * @param doing for messages: `listing messages`
 * @returns null where there is no such thing (404)
 * @throws JobError `gmail_quota`, `mail_server_failed`; PermanentError `gmail_refused`
 */
export async function callGmail<T>(doing: string, call: () => Promise<T>, { signal, patience = 1 }: CallOptions): Promise<T | null> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted()
    try {
      return await call()
    } catch (error) {
      signal?.throwIfAborted()
      const failure = failureOf(error)
      if (failure.status === 404) return null
      if (!failure.isForNow || attempt === MOST_TRIES) throw worded(doing, failure, error)
      const limit = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS)
      const delay = failure.retryAfterMs ?? Math.random() * limit
      await wait(delay * patience, undefined, signal ? { signal } : {})
    }
  }
}

interface Failure {
  /** 0: no answer. */
  status: number
  reason: string
  message: string
  retryAfterMs: number | null
  isForNow: boolean
}

const QUOTA = /^(rateLimitExceeded|userRateLimitExceeded|dailyLimitExceeded|quotaExceeded|RESOURCE_EXHAUSTED|backendError)$/

function failureOf(error: unknown): Failure {
  const response = read(error, 'response')
  const status = Number(read(response, 'status') ?? read(error, 'status') ?? 0) || 0
  const body = read(read(response, 'data'), 'error')
  const errors = read(body, 'errors')
  const reason = String((Array.isArray(errors) ? read(errors[0], 'reason') : undefined) ?? read(body, 'status') ?? '')
  const said = read(body, 'message')
  const isForNow = status === 0 ? !(error instanceof JobError) : status === 429 || status >= 500 || (status === 403 && QUOTA.test(reason))
  const message = typeof said === 'string' ? said : error instanceof Error ? error.message : String(error)
  return { status, reason, message: message.slice(0, 500), retryAfterMs: retryAfter(read(response, 'headers')), isForNow }
}

/** Seconds or a date; more than the longest wait of ours is not waited for here. */
function retryAfter(headers: unknown): number | null {
  const text = headers instanceof Headers ? headers.get('retry-after') : read(headers, 'retry-after')
  if (typeof text !== 'string') return null
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_DELAY_MS)
}

function worded(doing: string, { status, reason, message, isForNow }: Failure, cause: unknown): JobError {
  if (cause instanceof JobError) return cause
  const detail = `${status === 0 ? 'No answer' : `Google answered ${status}`}${reason === '' ? '' : ` (${reason})`}: ${message}`
  if (status === 429 || (status === 403 && isForNow)) {
    const hint = 'Look at mailboxes of this account less often, or let fewer schedules do so at once.'
    return new JobError('gmail_quota', `Gmail's quota is used up while ${doing}`, { detail, hint, cause })
  }
  if (isForNow) return new JobError('mail_server_failed', `Gmail failed while ${doing}`, { detail, hint: 'It is tried again.', cause })
  const hint = 'Check that the Gmail API is enabled, and consent again: rota gmail-login.'
  return new PermanentError('gmail_refused', `Gmail refused ${doing}`, { detail, hint, cause })
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

import { JobError, PermanentError } from '../../errors.ts'
import { type Patience, penaltySeconds } from '../manners/backoff.ts'
import { type Challenge, findChallenge } from '../manners/challenge.ts'
import { retryAfterSeconds } from '../manners/retry-after.ts'
import { HostWaitError, proxyLoginRequired } from '../refusals.ts'
import type { WebResponse } from './send.ts'

export interface Judgement {
  response: Pick<WebResponse, 'url' | 'status' | 'header'>
  /** The beginning of the body, as text. */
  head: string
  isWhole: boolean
  /** Times that this page failed before. */
  failures: number
  patience: Patience
  random: number
  now: Date
}

/** A host that asks for time: an answer 429, a 503 or 403 that says how long, a challenge page. Null for any other. */
export function asksForTime({ response, head, isWhole, failures, patience, random, now }: Judgement): HostWaitError | null {
  const challenge = findChallenge(response.status, response.header, head, isWhole)
  const isThrottling = response.status === 429
  const stated = [403, 429, 503].includes(response.status)
    ? retryAfterSeconds(response.header('retry-after'), now, response.header('date'))
    : null
  if (challenge === null && !isThrottling && stated === null) return null
  const first = challenge === null ? patience.throttledSeconds : patience.challengedSeconds
  const seconds = stated === null ? penaltySeconds(first, failures + 1, random) : stated
  const { host } = response.url
  const facts = {
    host,
    until: new Date(now.getTime() + seconds * 1000),
    detail: `${response.url.href} answered ${response.status}${markOf(challenge)}${stated === null ? '' : `, and to come back after ${Math.ceil(stated)} s`}.`,
    hint: 'It is left alone for that long. Raise min_gap or lower parallel of the host in dba.scrapehost.',
  }
  if (challenge?.kind === 'challenge') {
    const hint = `${facts.hint} Where it stays, ask the site for leave.`
    return new HostWaitError('challenge_page', `"${host}" shows a challenge page instead of what was asked for`, { ...facts, hint })
  }
  return new HostWaitError('rate_limited', `"${host}" asks for fewer requests`, facts)
}

/** What a status means that the caller does not take. */
export function refusedStatus({ url, status }: Pick<WebResponse, 'url' | 'status'>): JobError {
  const detail = `It answered ${status}.`
  if (status === 404) {
    return new PermanentError('page_not_found', `${url.href} is not there`, { detail, hint: 'Correct the address, or take it out.' })
  }
  if (status === 410) {
    return new PermanentError('page_gone', `${url.href} was taken away for good`, { detail, hint: 'Take the address out.' })
  }
  if (status === 401) {
    return new PermanentError('login_required', `${url.href} wants a login`, {
      detail,
      hint: 'Name a connection with user and secret in connection_name.',
    })
  }
  if (status === 407) return proxyLoginRequired(detail)
  if (status === 403) {
    return new PermanentError('access_denied', `${url.href} may not be read`, {
      detail,
      hint: 'See whether the page needs a login, or ask the site for leave.',
    })
  }
  if (status >= 500 || [408, 421, 425].includes(status)) {
    return new JobError('server_failed', `${url.href} failed on the server`, {
      detail,
      hint: 'See whether the site has a fault; a retry may succeed.',
    })
  }
  return new PermanentError('http_refused', `${url.href} was refused`, {
    detail,
    hint: 'See in a browser what the site says about it.',
  })
}

function markOf(challenge: Challenge | null): string {
  return challenge === null ? '' : ` with a page known by ${challenge.mark}`
}

import { JobError, PermanentError } from '../errors.ts'

/** A host that asks to be left alone until a moment. Another attempt after it may succeed. */
export class HostWaitError extends JobError {
  readonly host: string
  readonly until: Date

  constructor(code: string, message: string, facts: { host: string; until: Date; detail: string; hint: string }) {
    super(code, message, facts)
    this.host = facts.host
    this.until = facts.until
  }
}

export function hostBusy(host: string, until: Date, why: string): HostWaitError {
  return new HostWaitError('host_busy', `"${host}" is not asked again before ${until.toISOString()}`, {
    host,
    until,
    detail: `Because ${why}.`,
    hint: 'Nothing: a later attempt goes on. Limits of a host stand in dba.scrapehost; select dba.ask_host_again(host) ends a wait that its people no longer want.',
  })
}

export function pageTooLarge(url: string, limitBytes: number, seen: string): PermanentError {
  return new PermanentError('page_too_large', `${url} is larger than allowed`, {
    detail: `${seen}; the limit is ${limitBytes} bytes.`,
    hint: 'Correct the address, or raise the limit in dba.scrapeconfig.',
  })
}

export function pageTimeout(url: string, what: string, seconds: number): JobError {
  return new JobError('page_timeout', `${url} did not answer in time`, {
    detail: `${what} took longer than ${seconds} s.`,
    hint: 'See whether the site is slow or down; a retry may succeed.',
  })
}

export function proxyLoginRequired(detail: string): PermanentError {
  return new PermanentError('proxy_login_required', 'The proxy wants a login', {
    detail,
    hint: 'Give the proxy the user and the secret that it knows.',
  })
}

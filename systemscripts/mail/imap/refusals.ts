import { JobError, PermanentError } from '../../errors.ts'

export interface ImapPlace {
  host: string
  port: number
  user: string
}

/** Response codes of RFC 5530 that say "not now". */
const FOR_NOW = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'CONTACTADMIN'])
const OF_CERTIFICATE =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_.*|ERR_TLS_CERT_.*|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)$/

/** What became of a try to connect and log in. */
export function connectRefusal(error: unknown, { host, port, user }: ImapPlace): JobError {
  const { code, response, responseCode, isLogin } = factsOf(error)
  const server = `${host}:${port}`
  if (isLogin) {
    const facts = {
      detail: `User "${user}" at ${server}${response === '' ? '.' : `; the server says: ${response}`}`,
      hint: 'Correct user_name and secret_name in dba.connection; an account with a second factor needs an app password or a token.',
      cause: error,
    }
    const message = `Mail server "${host}" refused the login`
    return FOR_NOW.has(responseCode)
      ? new JobError('mail_server_busy', message, facts)
      : new PermanentError('mail_login_refused', message, facts)
  }
  if (OF_CERTIFICATE.test(code)) {
    return new PermanentError('mail_certificate_refused', `The certificate of mail server "${host}" is not trusted`, {
      detail: `${server}: ${messageOf(error)}.`,
      hint: "Use the name that the certificate is for, have it renewed, or set tls = 'require' in dba.connection where you accept any.",
      cause: error,
    })
  }
  if (/STARTTLS/i.test(messageOf(error))) {
    return new PermanentError('mail_tls_not_offered', `Mail server "${host}" does not offer encryption on port ${port}`, {
      detail: messageOf(error),
      hint: "Set port = 993 in dba.connection, or tls = 'off' where the way to the server is safe.",
      cause: error,
    })
  }
  return new JobError('mail_server_unreachable', `Mail server "${host}" cannot be reached`, {
    detail: `${server}: ${messageOf(error)}`,
    hint: 'See whether host and port in dba.connection are right and the network lets this machine through.',
    cause: error,
  })
}

/** A command that failed, or a connection that was lost meanwhile. */
export function commandRefusal(error: unknown, doing: string): JobError {
  if (error instanceof JobError) return error
  const { code, response } = factsOf(error)
  return new JobError('mail_server_failed', `The mail server failed while ${doing}`, {
    detail: response === '' ? `${messageOf(error)}${code === '' ? '' : ` (${code})`}` : `The server says: ${response}`,
    hint: 'It is tried again; if it stays so, look at the server and its log.',
    cause: error,
  })
}

export function folderMissing(folder: string, there: string[]): PermanentError {
  return new PermanentError('mail_folder_missing', `The mailbox has no folder "${folder}"`, {
    detail: `It has ${there
      .slice(0, 30)
      .map((name) => `"${name}"`)
      .join(', ')}${there.length > 30 ? ' …' : ''}.`,
    hint: 'Correct folder in dba.inboxconfig.',
  })
}

/** The numbers in hand mean other messages now. */
export function renumbered(folder: string): JobError {
  return new JobError('mailbox_renumbered', `The server numbered folder "${folder}" anew meanwhile`, {
    detail: 'Its UIDVALIDITY changed since it was looked at.',
    hint: 'It is looked at again in the next attempt.',
  })
}

export function messageGone(folder: string, uid: string): PermanentError {
  return new PermanentError('message_gone', `Message ${uid} is no longer in "${folder}"`, {
    detail: 'Somebody moved or deleted it meanwhile.',
    hint: 'Look for it in the other folders of the mailbox; it is taken when it comes back.',
  })
}

function factsOf(error: unknown): { code: string; response: string; responseCode: string; isLogin: boolean } {
  const read = (name: string): unknown => (typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined)
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    code: text(read('code')),
    response: text(read('responseText')) || (read('authenticationFailed') === true ? text(read('response')) : ''),
    responseCode: text(read('serverResponseCode')).toUpperCase(),
    isLogin: read('authenticationFailed') === true || /authentication mechanism/i.test(messageOf(error)),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

import { JobError, PermanentError } from '../../errors.ts'
import type { Delivery, Envelope, RecipientAnswer } from '../mail-route.ts'

/** What nodemailer says of a mail that was taken. */
interface Reply {
  rejectedErrors?: unknown[] | undefined
  response: string
}

/** The server took it for some of the recipients at least. */
export function verdictOfReply({ recipients }: Envelope, { rejectedErrors = [], response }: Reply): Delivery {
  const answers = answersOf(recipients, rejectedErrors, { state: 'sent', ...split(response) })
  return { state: 'sent', recipients: answers, response: oneLine(response), error: null }
}

/**
 * The server refused it, put it off, or the dialogue broke off. A code that begins with 4 says not now, with 5 never (RFC 5321, 4.2.1). Without
 * a code it depends on whether all of the mail, its last dot included, may have left: before that the server must drop it (RFC 5321, 4.1.1.4).
 */
export function verdictOfError(
  { recipients }: Envelope,
  error: unknown,
  { host, isHandedOver }: { host: string; isHandedOver: boolean },
): Delivery {
  const { code, response, responseCode, command, message, rejectedErrors } = factsOf(error)
  if (responseCode !== 0) {
    const isForNow = responseCode < 500
    const answers = answersOf(recipients, rejectedErrors, { state: isForNow ? 'deferred' : 'refused', ...split(response) })
    const isAllForNow = answers.some(({ state }) => state === 'deferred')
    const facts = { detail: `At ${command || 'its end'}: ${oneLine(response)}`, cause: error }
    return {
      state: isAllForNow ? 'deferred' : 'refused',
      recipients: answers,
      response: oneLine(response),
      error: isAllForNow
        ? new JobError('mail_deferred', `Mail server "${host}" does not take the mail at this time`, {
            ...facts,
            hint: 'It is tried again.',
          })
        : new PermanentError('mail_refused', `Mail server "${host}" refused the mail`, {
            ...facts,
            hint: "Do what the server says; then send it again: update dba.outbox set state = 'resend'.",
          }),
    }
  }
  const all = (state: RecipientAnswer['state'], text: string): RecipientAnswer[] =>
    recipients.map((address) => ({ address, state, code: null, text }))
  if (code === 'EMESSAGE') {
    return {
      state: 'refused',
      recipients: all('refused', message),
      response: null,
      error: new PermanentError('mail_too_large', `The mail is larger than mail server "${host}" takes`, {
        detail: message,
        hint: 'Attach less: fewer rows, or a file in a folder with a link to it.',
        cause: error,
      }),
    }
  }
  if (isHandedOver) {
    return {
      state: 'unknown',
      recipients: all('unknown', message),
      response: null,
      error: new JobError('mail_fate_unknown', `Mail server "${host}" was given the whole mail and did not say whether it has it`, {
        detail: message,
        hint: 'Look into the server’s log for its Message-ID, or ask a recipient; when_unknown in the options of the connection makes a rule of it.',
        cause: error,
      }),
    }
  }
  return {
    state: 'deferred',
    recipients: all('deferred', message),
    response: null,
    error: new JobError('mail_interrupted', `The dialogue with mail server "${host}" broke off before it had the mail`, {
      detail: message,
      hint: 'Nobody got it; it is tried again.',
      cause: error,
    }),
  }
}

const OF_CERTIFICATE =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_.*|ERR_TLS_CERT_.*|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)$/

/** What became of a try to connect and log in. Nothing was sent. */
export function connectRefusal(error: unknown, { host, port, user }: { host: string; port: number; user: string | null }): JobError {
  if (error instanceof JobError) return error
  const { code, response, responseCode, message, originalCode } = factsOf(error)
  const server = `${host}:${port}`
  const detail = `${server}: ${response === '' ? message : oneLine(response)}`
  const [certificate] = [code, originalCode].filter((each) => OF_CERTIFICATE.test(each))
  if (certificate !== undefined) {
    return new PermanentError('smtp_certificate_refused', `The certificate of mail server "${host}" is not trusted`, {
      detail: `${detail} (${certificate})`,
      hint: "Use the name that the certificate is for, give its authority in options ->> 'ca', or set tls = 'require' in dba.connection where you accept any.",
      cause: error,
    })
  }
  if (code === 'EAUTH') {
    const facts = {
      detail: `User "${user}": ${detail}`,
      hint: 'Correct user_name and secret_name in dba.connection; an account with a second factor needs an app password or a token.',
      cause: error,
    }
    const text = `Mail server "${host}" refused the login`
    return responseCode >= 400 && responseCode < 500
      ? new JobError('smtp_login_deferred', text, facts)
      : new PermanentError('smtp_login_refused', text, facts)
  }
  if (code === 'ETLS' || /STARTTLS/i.test(message)) {
    return new PermanentError('smtp_tls_not_offered', `Mail server "${host}" does not let the way to it be encrypted on port ${port}`, {
      detail,
      hint: "Set port = 465 in dba.connection, or tls = 'off' where the way to the server is safe.",
      cause: error,
    })
  }
  return new JobError('smtp_unreachable', `Mail server "${host}" cannot be reached`, {
    detail,
    hint: 'See whether host and port in dba.connection are right and the network lets this machine through.',
    cause: error,
  })
}

function answersOf(recipients: string[], refusals: unknown[], others: Omit<RecipientAnswer, 'address'>): RecipientAnswer[] {
  const refused = new Map(refusals.map(factsOf).map((facts) => [facts.recipient, facts]))
  return recipients.map((address) => {
    const own = refused.get(address)
    if (own === undefined) return { address, ...others }
    return { address, state: own.responseCode < 500 ? 'deferred' : 'refused', ...split(own.response) }
  })
}

/** `550 5.1.1 no such user` → its code and the rest. */
function split(response: string): { code: string | null; text: string } {
  const [, code = null, text = ''] = /^(\d{3})?[ -]?(.*)$/s.exec(response) ?? []
  return { code, text: oneLine(text) }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 1000)
}

function factsOf(error: unknown) {
  const text = (name: string): string => {
    const value = read(error, name)
    return typeof value === 'string' ? value : ''
  }
  const rejected = read(error, 'rejectedErrors')
  return {
    code: text('code'),
    originalCode: text('originalCode'),
    response: text('response'),
    responseCode: Number(read(error, 'responseCode')) || 0,
    command: text('command'),
    recipient: text('recipient'),
    message: oneLine(error instanceof Error ? error.message : String(error)),
    rejectedErrors: Array.isArray(rejected) ? rejected : [],
  }
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

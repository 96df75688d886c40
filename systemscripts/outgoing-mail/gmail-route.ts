import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { gmail_v1 } from '@googleapis/gmail'
import { JobError, PermanentError } from '../errors.ts'
import { callGmail } from '../mail/gmail/call.ts'
import { GMAIL_SCOPE, type GmailSecret } from '../mail/gmail/credentials.ts'
import { tokenCache } from '../mail/oauth-token.ts'
import { forRecipients } from './for-recipients.ts'
import type { Delivery, Envelope, MailRoute, RecipientAnswer, SendOptions } from './mail-route.ts'
import { createPace } from './pace.ts'
import { createTurns } from './turns.ts'

export interface GmailRouteOptions {
  /** Address of the account that sends. */
  user: string
  secret: GmailSecret
  /** Where the API is. Default Google's. */
  rootUrl?: string
  perSecond?: number
  perMinute?: number
  /** Times the waits between tries of reading calls. Default 1. */
  patience?: number
}

/** Google allows few at once for one account. */
const AT_ONCE = 4
/** Google finds a message by its id a moment after it has it. */
const FOUND_AFTER_MS = 2000

/**
 * Mail through the Gmail API. Google takes the recipients from the header: see forRecipients for what that means. A try whose answer was lost is
 * looked up in the mailbox by Message-ID: found there, it was sent.
 */
export function openGmailRoute(options: GmailRouteOptions): MailRoute {
  const { user, secret, rootUrl, patience = 1 } = options
  const pace = createPace(options)
  const turns = createTurns(AT_ONCE)
  let opened: Promise<gmail_v1.Gmail> | undefined
  return { send, wasSent, check, close: async () => {} }

  async function send(envelope: Envelope, content: () => AsyncIterable<Buffer>, { onReady, signal }: SendOptions = {}): Promise<Delivery> {
    const giveBack = await turns.take(signal)
    try {
      await pace(signal)
      const gmail = await open()
      await onReady?.()
      const body = Readable.from(forRecipients(content(), envelope.recipients), { objectMode: false })
      let broken: unknown
      body.on('error', (error) => {
        broken ??= error
      })
      try {
        const media = { mimeType: 'message/rfc822', body }
        const { data } = await gmail.users.messages.send(
          { userId: 'me', media },
          { retry: false, ...(rootUrl === undefined ? {} : { rootUrl }), ...(signal ? { signal } : {}) },
        )
        const text = `Gmail has it as ${data.id}`
        return { state: 'sent', recipients: all(envelope, 'sent', text), response: text, error: null }
      } catch (error) {
        if (broken !== undefined) throw broken
        return await verdict(envelope, error)
      } finally {
        body.destroy()
      }
    } catch (error) {
      if (!(error instanceof JobError) || signal?.aborted) throw error
      return { state: 'deferred', recipients: all(envelope, 'deferred', error.message), response: null, error }
    } finally {
      giveBack()
    }
  }

  async function verdict(envelope: Envelope, error: unknown): Promise<Delivery> {
    const status = statusOf(error)
    const said = error instanceof Error ? error.message.slice(0, 500) : String(error)
    const facts = { detail: status === 0 ? said : `Google answered ${status}: ${said}`, cause: error }
    if (status === 0 && neverConnected(error)) {
      const failure = new JobError('gmail_unreachable', 'Gmail cannot be reached', {
        ...facts,
        hint: 'See whether the network lets this machine through.',
      })
      return { state: 'deferred', recipients: all(envelope, 'deferred', said), response: null, error: failure }
    }
    if (status === 0 || status >= 500) {
      if (await looksSent(envelope))
        return { state: 'sent', recipients: all(envelope, 'sent', 'found in the mailbox'), response: said, error: null }
      const failure = new JobError('mail_fate_unknown', 'Gmail was given the mail and did not say whether it has it', {
        ...facts,
        hint: 'Look into the folder Sent of the account.',
      })
      return { state: 'unknown', recipients: all(envelope, 'unknown', said), response: null, error: failure }
    }
    if (status === 429 || status === 401 || (status === 403 && /rate|quota|limit/i.test(said))) {
      const failure = new JobError('mail_deferred', 'Gmail does not take the mail at this time', { ...facts, hint: 'It is tried again.' })
      return { state: 'deferred', recipients: all(envelope, 'deferred', said), response: said, error: failure }
    }
    const failure = new PermanentError('mail_refused', 'Gmail refused the mail', {
      ...facts,
      hint: 'Do what Google says; consent again where it says that rights are missing: rota gmail-login.',
    })
    return { state: 'refused', recipients: all(envelope, 'refused', said), response: said, error: failure }
  }

  async function looksSent(envelope: Envelope): Promise<boolean> {
    await wait(FOUND_AFTER_MS * patience)
    return (await wasSent(envelope).catch(() => null)) === true
  }

  /** Not found says nothing for sure: Google may have it and not know it yet. */
  async function wasSent({ messageId, round }: Envelope): Promise<boolean | null> {
    if (round > 1) return null
    const gmail = await open()
    const q = `rfc822msgid:${messageId.replace(/[<>]/g, '')}`
    const found = await callGmail('looking for a mail', () => gmail.users.messages.list({ userId: 'me', q }, { retry: false }), {
      patience,
    })
    return (found?.data.messages ?? []).length > 0 ? true : null
  }

  async function check(signal: AbortSignal): Promise<string> {
    const gmail = await open()
    const profile = await callGmail('reading the profile', () => gmail.users.getProfile({ userId: 'me' }, { retry: false, signal }), {
      signal,
      patience,
    })
    return `Gmail answers for ${profile?.data.emailAddress ?? user}.`
  }

  function open(): Promise<gmail_v1.Gmail> {
    opened ??= connect()
    return opened
  }

  async function connect(): Promise<gmail_v1.Gmail> {
    // Loaded when it is needed: both take their time.
    const [{ gmail: connectTo }, { OAuth2Client }] = await Promise.all([import('@googleapis/gmail'), import('google-auth-library')])
    const auth = new OAuth2Client()
    const token = tokenCache({ ...secret, scope: secret.grant.kind === 'service_account' ? GMAIL_SCOPE : null })
    auth.refreshHandler = async () => {
      const { token: access_token, expiresAt } = await token()
      return { access_token, expiry_date: expiresAt.getTime() }
    }
    return connectTo({ version: 'v1', auth, ...(rootUrl === undefined ? {} : { rootUrl }) })
  }
}

function all({ recipients }: Envelope, state: RecipientAnswer['state'], text: string): RecipientAnswer[] {
  return recipients.map((address) => ({ address, state, code: null, text }))
}

function neverConnected(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (/^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/.test(String(read(cause, 'code')))) return true
  }
  return false
}

/** 0: no answer. A refused token never reached Gmail: it is thrown on. */
function statusOf(error: unknown): number {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause instanceof JobError) throw cause
  const response = read(error, 'response')
  return Number(read(response, 'status') ?? read(error, 'status') ?? 0) || 0
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

import { GMAIL_SCOPE, type GmailSecret } from './gmail/credentials.ts'
import { gmailLabels } from './gmail/labels.ts'
import { lookIntoLabel } from './gmail/look.ts'
import { gmailMessages } from './gmail/messages.ts'
import { leanStream } from './lean-stream.ts'
import type { Mailbox } from './mailbox.ts'
import { tokenCache } from './oauth-token.ts'

export interface GmailOptions {
  /** Address of the mailbox. */
  user: string
  secret: GmailSecret
  /** Where the API is. Default Google's. */
  rootUrl?: string
  signal?: AbortSignal
  /** Times the waits between tries. Default 1. */
  patience?: number
}

/**
 * A mailbox through the Gmail API, by Google's own client. Folders are labels. Attachments are decoded while they come.
 *
 * @throws as fetchAccessToken, at the first use
 */
export async function openGmailMailbox({ user, secret, rootUrl, signal, patience }: GmailOptions): Promise<Mailbox> {
  // Loaded when it is needed: both take their time.
  const [{ gmail: connect }, { OAuth2Client }] = await Promise.all([import('@googleapis/gmail'), import('google-auth-library')])
  const auth = new OAuth2Client()
  const token = tokenCache({
    ...secret,
    scope: secret.grant.kind === 'service_account' ? GMAIL_SCOPE : null,
    ...(signal ? { signal } : {}),
  })
  auth.refreshHandler = async () => {
    const { token: access_token, expiresAt } = await token()
    return { access_token, expiry_date: expiresAt.getTime() }
  }
  const gmail = connect({ version: 'v1', auth, ...(rootUrl === undefined ? {} : { rootUrl }), ...(signal ? { signal } : {}) })
  const options = { signal, ...(patience === undefined ? {} : { patience }) }
  const labels = gmailLabels(gmail, options)
  const messages = gmailMessages(gmail, labels, options)
  return {
    account: `gmail:${user}`,
    folders: () => labels.names(),
    look: (folder, how) => lookIntoLabel(gmail, labels, folder, how, options),
    ...messages,
    raw: (ref) => leanStream(messages.raw(ref)),
    // The API can only tell a public address of ours, which a worker does not have.
    hint: null,
    close: async () => {},
  }
}

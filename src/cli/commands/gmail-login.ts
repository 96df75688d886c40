import { readFile } from 'node:fs/promises'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { readGoogleClient } from '../../../systemscripts/mail/gmail/credentials.ts'
import { beginGmailLogin, finishGmailLogin } from '../../../systemscripts/mail/gmail/login.ts'
import type { Call, Command } from '../command.ts'
import { withSecrets } from '../open-secrets.ts'
import { readSecret } from '../read-input.ts'

export const gmailLogin: Command = {
  name: 'gmail-login',
  words: ['<secret>'],
  summary: 'Consent to reading a Gmail mailbox, on a machine without a browser, and keep the token for dba.connection.secret_name to name.',
  description: [
    'rota gmail-login office_gmail --client client_secret.json --user office@example.org',
    'rota gmail-login office_gmail                        once more, with the client that is kept',
    '',
    'client_secret.json is what Google Cloud gives for an OAuth client of type "Desktop app" in a project with the Gmail API enabled. An address',
    'is printed: open it in any browser, on any machine, and consent. The browser then shows an error, since nobody listens at 127.0.0.1: copy',
    'the address from its bar and paste it here. For service accounts store their JSON key instead: rota secret set office_gmail < key.json',
  ].join('\n'),
  options: {
    client: { value: 'file', summary: 'The OAuth client as Google gives it. Default: the one that is kept under that name.' },
    user: { value: 'address', summary: 'Address of the mailbox; Google then asks for no other.' },
  },
  async run(call) {
    const name = call.words[0] ?? ''
    return withSecrets(call, async (secrets) => {
      const client = readGoogleClient(await clientText(call, () => secrets.get(name)))
      const pending = await beginGmailLogin(client, call.text('user'))
      call.err.line('Open this address in a browser and consent:')
      call.err.line()
      call.err.line(pending.url)
      call.err.line()
      const pasted = await readSecret(call.deps.stdin, call.err, 'Paste the address that the browser is then sent to: ')
      await secrets.set(name, await finishGmailLogin(client, pending, pasted))
      call.out.line(
        `Secret "${name}" is set. Name it in dba.connection: update dba.connection set secret_name = '${name}' where connection_name = '…';`,
      )
      return 0
    })
  },
}

async function clientText(call: Call, kept: () => Promise<string>): Promise<string> {
  const path = call.text('client')
  if (path === undefined) return await kept().catch(() => Promise.reject(noClient()))
  return await readFile(path, 'utf8').catch((cause) => {
    throw new PermanentError('client_file_unreadable', `File "${path}" cannot be read`, {
      hint: 'Give the path of the client_secret.json that Google Cloud let you download.',
      cause,
    })
  })
}

function noClient(): PermanentError {
  return new PermanentError('gmail_client_missing', 'There is no OAuth client to log in with', {
    hint: 'Give it the first time: rota gmail-login <secret> --client client_secret.json',
  })
}

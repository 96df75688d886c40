import { PermanentError } from '../../../systemscripts/errors.ts'
import type { Webhook } from '../../../systemscripts/webhook.ts'
import type { ConnectionFacts } from '../../job/connections.ts'

const TIMEOUT_SECONDS = 20

/** The webhook that a row of dba.connection means; its options are those that dba.webhook_rules knows. @throws PermanentError `connection_incomplete` */
export function webhookOf({ connectionName, kind, secret, tls, options }: ConnectionFacts): Webhook {
  if (kind !== 'webhook' || secret === null) {
    throw new PermanentError('connection_incomplete', `Connection "${connectionName}" of kind ${kind} has no address to call`, {
      hint: 'Give it kind webhook, set its address with rota secret set <name>, and write that name into dba.connection.secret_name.',
    })
  }
  return {
    url: secret.trim(),
    shape: options.shape === 'slack' || options.shape === 'teams' ? options.shape : 'generic',
    allowsPrivate: options.allow_private === true,
    allowsPlain: tls === 'off',
    timeoutSeconds: typeof options.timeout_seconds === 'number' ? options.timeout_seconds : TIMEOUT_SECONDS,
  }
}

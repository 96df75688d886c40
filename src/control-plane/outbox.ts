/** Outgoing mail as jobs see it: `ctx.outbox`. Its statements are in outbox/. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { ComposedMail } from '../../systemscripts/outgoing-mail/composed-mail.ts'
import type { Connections } from '../job/connections.ts'
import type { JobContext } from '../job/define-job.ts'
import type { NewMail, Outbox, OutboxMail } from '../job/outbox.ts'
import { claimMails } from './outbox/claims.ts'
import { dkimKeyOf } from './outbox/route-options.ts'
import type { MailRoutes } from './outbox/routes.ts'
import { readMails } from './outbox/rows.ts'
import { sendClaimed } from './outbox/send-claimed.ts'
import { standardConnection, storeMails } from './outbox/store.ts'
import { takeOverMails } from './outbox/take-over.ts'

export interface OutboxDeps {
  pool: Pool
  /** The run's fenced transaction. */
  transaction: JobContext<unknown>['transaction']
  routes: MailRoutes
  connections: Connections
  run: JobContext<unknown>['run']
  redact(text: string): string
  signal: AbortSignal
}

/** Between two looks at mails that somebody else is at. */
const LOOK_AGAIN_MS = 500

export function createOutbox(deps: OutboxDeps): Outbox {
  const { pool, transaction, run, signal } = deps
  const ofRun = `run ${run.runId} `
  return {
    async dkimKey(connectionName) {
      const name = connectionName ?? (await standardConnection(pool))
      return name === null ? null : dkimKeyOf(await deps.connections.get(name))
    },
    store: (mails, { maxBytes = null, within } = {}) =>
      transaction(async (client) => {
        const numbers = await storeMails(client, limited(mails, maxBytes), {
          runId: run.runId,
          configName: run.configName,
          scheduleName: run.scheduleName,
          scheduledFor: run.scheduledFor,
          isSentByWorker: false,
        })
        await within?.(client, numbers)
        return numbers
      }),
    known: (onceKeys) => readMails(pool, 'o.once_key = any ($1)', onceKeys),
    ofRuns: (runIds) => readMails(pool, 'o.run_id = any ($1)', runIds),
    takeOver: (runIds, addresses) => transaction((client) => takeOverMails(client, runIds, addresses)),
    send,
  }

  async function send(outboxIds: number[]): Promise<OutboxMail[]> {
    const errors = new Map<number, unknown>()
    const tried = new Set<number>()
    for (;;) {
      signal.throwIfAborted()
      const left = outboxIds.filter((id) => !tried.has(id))
      const claimed = left.length === 0 ? [] : await claimMails(pool, `${ofRun}attempt ${run.attempt}`, left, ofRun)
      if (claimed.length > 0) {
        for (const [id, error] of await sendClaimed({ pool, routes: deps.routes, transaction, redact: deps.redact, signal }, claimed))
          errors.set(id, error)
        // What somebody had died at is settled now, and may have to be sent.
        for (const { outboxId, state } of claimed) if (state !== 'sending') tried.add(outboxId)
      }
      const mails = await readMails(pool, 'o.outbox_id = any ($1)', outboxIds)
      const isOpen = ({ outboxId, state }: OutboxMail): boolean =>
        !tried.has(outboxId) && (state === 'rendered' || state === 'resend' || state === 'sending')
      if (!mails.some(isOpen)) return mails.map((mail) => withError(mail, errors.get(mail.outboxId)))
      // Somebody else is at them, or was and died: their claims lapse.
      if (claimed.length === 0) await pause(LOOK_AGAIN_MS, undefined, { signal })
    }
  }
}

function withError(mail: OutboxMail, error: unknown): OutboxMail {
  return mail.error === null
    ? mail
    : { ...mail, error: { ...mail.error, isPermanent: mail.error.isPermanent || error instanceof PermanentError } }
}

async function* limited(mails: Iterable<NewMail> | AsyncIterable<NewMail>, maxBytes: number | null): AsyncGenerator<NewMail> {
  for await (const one of mails) {
    const { mail } = one
    yield maxBytes === null ? one : { ...one, mail: { ...mail, content: () => atMost(mail, maxBytes) } }
  }
}

async function* atMost(mail: ComposedMail, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const piece of mail.content()) {
    size += piece.length
    if (size > maxBytes) {
      throw new PermanentError('mail_over_max_bytes', `Mail "${mail.subject}" would have more than ${maxBytes} bytes`, {
        detail: 'It was given up while it was composed; nothing was stored or sent.',
        hint: 'Attach less, or raise the limit in the settings of the report.',
      })
    }
    yield piece
  }
}

/** What tests of outgoing mail have in common: a database, an SMTP server, mails, and runs that send them. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { createConnections } from '../../../src/control-plane/connections.ts'
import { createMailRoutes } from '../../../src/control-plane/outbox/routes.ts'
import { createOutbox } from '../../../src/control-plane/outbox.ts'
import { proveLease } from '../../../src/control-plane/runs.ts'
import { inTransaction } from '../../../src/control-plane/transaction.ts'
import type { NewMail, Outbox } from '../../../src/job/outbox.ts'
import { composeMail } from '../../../systemscripts/outgoing-mail/compose-mail.ts'
import type { MailDraft } from '../../../systemscripts/outgoing-mail/composed-mail.ts'
import { workerSecrets } from '../../helpers/worker-process.ts'

export async function newMail(key: string, draft: Partial<MailDraft> = {}, more: Partial<NewMail> = {}): Promise<NewMail> {
  const mail = await composeMail({
    sender: 'rota@example.com',
    to: ['ann@example.com'],
    subject: `Mail ${key}`,
    html: '<p>Hello</p>',
    ...draft,
  })
  return { onceKey: key, kind: 'report', mail, connectionName: 'post', ...more }
}

/** A run that is going on. */
export async function openRun(pool: Pool, worker = 'test'): Promise<string> {
  const { rows } = await pool.query<{ run_id: string }>(
    `insert into dba.run (schedule_id, schedule_name, job, fire_key, due_at, state, attempt, worker)
     values (1, 'test', 'noop', gen_random_uuid()::text, clock_timestamp(), 'running', 1, $1) returning run_id`,
    [worker],
  )
  return rows[0]?.run_id ?? ''
}

export interface RunOutbox {
  pool: Pool
  url: string
  dataDir: string
  runId: string
  attempt?: number
  worker?: string
  signal?: AbortSignal
}

/** What a job is handed as `ctx.outbox`. */
export async function outboxOf({
  pool,
  url,
  dataDir,
  runId,
  attempt = 1,
  worker = 'test',
  signal = new AbortController().signal,
}: RunOutbox): Promise<{ outbox: Outbox; close(): Promise<void> }> {
  const secrets = await workerSecrets({ pool, dataDir })
  const connections = createConnections({ db: pool, secrets, url })
  const routes = createMailRoutes({ connections, folder: (path) => join(dataDir, path) })
  const outbox = createOutbox({
    pool,
    routes,
    connections,
    transaction: (work) =>
      inTransaction(pool, async (client) => {
        const result = await work(client)
        await proveLease(client, { runId, attempt, worker })
        return result
      }),
    run: { runId, scheduleName: 'test', configName: 'prices', attempt, trigger: 'request', scheduledFor: new Date(), args: {} },
    redact: (text) => text,
    signal,
  })
  return { outbox, close: () => routes.close() }
}

export function anyRunId(): string {
  return randomUUID()
}

// jobs/report.ts: a mail is stored under the key of its fire and recipient before it is sent, so a second run sends the same bytes to those who lack them.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { defineJob } from '../src/job/define-job.ts'
import type { OutboxMail } from '../src/job/outbox.ts'
import { PermanentError } from '../systemscripts/errors.ts'
import { composeMail } from '../systemscripts/outgoing-mail/compose-mail.ts'
import { openQuerySession } from '../systemscripts/query-session.ts'
import { judgeDelivery } from './report/judge-delivery.ts'
import { lookAhead } from './report/look-ahead.ts'
import { type ReportContext, renderMails } from './report/render-mails.ts'
import { findServer } from './report/server.ts'
import { readReport } from './report/settings.ts'

export default defineJob({
  name: 'report',
  config: readReport,
  check: lookAhead,
  async run(context) {
    const { stored, skipped, rowsRead } = await renderAndStore(context)
    const { config: settings, outbox } = context
    if (settings.isPreview) {
      const [id] = stored
      return { rowsRead, note: id === undefined ? `Nothing to show: ${skipped}` : `Rendered and sent to nobody: rota outbox ${id}`, result: { outbox_ids: stored } }
    }
    return judgeDelivery(await sendInParts(outbox, stored), { skipped, rowsRead })
  },
})

interface StoredMails {
  /** Numbers in dba.outbox. */
  stored: number[]
  /** Why mails were not made; null: none was left out. */
  skipped: string | null
  rowsRead: number
}

async function renderAndStore(context: ReportContext): Promise<StoredMails> {
  const { config: settings, connections, outbox, reports, run, signal } = context
  const earlier = new Map((await outbox.ofThisRun()).map((mail) => [mail.onceKey, mail.outboxId]))
  const keyOf = (recipient: string) => `report ${run.runId} ${recipient}`.trimEnd()
  // One mail that is stored is all of it; of several some may be missing.
  if (settings.recipientQuery === null && earlier.size > 0) return { stored: [...earlier.values()], skipped: null, rowsRead: 0 }
  const freshness = settings.hasFreshness ? await reports.freshness() : { stale: [], dataAt: null }
  const isTry = settings.isPreview || settings.testTo !== null
  if (freshness.stale.length > 0 && settings.whenStale === 'hold' && !isTry) throw notFresh(settings.configName, freshness.stale)
  const sender = settings.sender ?? (await reports.defaultSender()) ?? 'rota@localhost'
  const folder = context.folder(join('outgoing', run.runId))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const session = await openQuerySession({
    server: await findServer(connections, settings.queryConnection),
    applicationName: `rota report ${settings.configName}`.slice(0, 63),
    timeoutSeconds: settings.queryTimeoutSeconds,
    timeZone: settings.timeZone,
    signal,
  })
  const stored: number[] = [...earlier.values()]
  const reasons = new Set<string>()
  let rowsRead = 0
  try {
    const dkim = await outbox.dkimKey(settings.connectionName)
    for await (const mail of renderMails({ context, session, freshness, sender, folder, isDone: (recipient) => earlier.has(keyOf(recipient)) })) {
      rowsRead += mail.rowsRead
      if (mail.draft === null) {
        reasons.add(mail.why ?? '')
        continue
      }
      const composed = await composeMail({ ...mail.draft, dkim })
      const kind = isTry ? 'test' : 'report'
      const [id] = await outbox.store([{ onceKey: keyOf(mail.recipient), kind, mail: composed, connectionName: settings.connectionName, whenUnknown: settings.whenUnknown, isHeld: settings.isPreview }], {
        maxBytes: settings.maxBytes,
        within: isTry ? undefined : (client) => reports.remember(client, mail.recipient, mail.told),
      })
      if (id !== undefined) stored.push(id)
    }
    return { stored, skipped: reasons.size === 0 ? null : [...reasons].join('; '), rowsRead }
  } finally {
    await session.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** So many at once that a way out is used well, and so few that a stopping worker soon ends. */
const mailsAtOnce = 500

async function sendInParts(outbox: ReportContext['outbox'], ids: number[]): Promise<OutboxMail[]> {
  const mails: OutboxMail[] = []
  for (let from = 0; from < ids.length; from += mailsAtOnce) mails.push(...(await outbox.send(ids.slice(from, from + mailsAtOnce))))
  return mails
}

function notFresh(configName: string, stale: string[]): PermanentError {
  return new PermanentError('data_not_fresh', `Report "${configName}" was not sent, since its data is not fresh`, {
    detail: `${stale.join('; ')}.`,
    hint: 'Mend the data and run it again: select dba.run_now(…). To wait for data, set hold_until in dba.reportconfig; to send all the same, when_stale = \'banner\'.',
  })
}


// jobs/report.ts: a mail is stored under the key of its fire and recipient before it is sent, so a second run sends the same bytes to those who lack them.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { defineJob } from '../src/job/define-job.ts'
import type { NewMail, OutboxMail } from '../src/job/outbox.ts'
import type { Freshness } from '../src/job/reports.ts'
import { PermanentError } from '../systemscripts/errors.ts'
import { composeMail } from '../systemscripts/outgoing-mail/compose-mail.ts'
import { readAddress } from '../systemscripts/outgoing-mail/mail-address.ts'
import { openQuerySession } from '../systemscripts/query-session.ts'
import { judgeDelivery } from './report/judge-delivery.ts'
import { lookAhead } from './report/look-ahead.ts'
import { type RenderedMail, type ReportContext, renderMails } from './report/render-mails.ts'
import { findServer } from './report/server.ts'
import { isTry, readReport } from './report/settings.ts'

export default defineJob({
  name: 'report',
  config: readReport,
  check: lookAhead,
  async run(context) {
    const { stored, skipped, rowsRead } = await renderAndStore(context)
    const { config: settings, outbox } = context
    if (settings.isPreview) {
      const [id] = stored
      const note = id === undefined ? `Nothing to show: ${skipped}` : `Rendered, and sent to nobody: rota outbox ${id} --save mail.eml`
      return { rowsRead, note, result: { outbox_ids: stored } }
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
  const { config: settings, connections, reports, run, signal } = context
  const { earlier, keyOf } = await findEarlier(context)
  // One mail that is stored is all of it; of several some may be missing.
  if (settings.recipientQuery === null && earlier.size > 0) return { stored: [...earlier.values()], skipped: null, rowsRead: 0 }
  const freshness: Freshness = settings.hasFreshness ? await reports.freshness() : { stale: [], dataAt: null }
  if (freshness.stale.length > 0 && settings.whenStale === 'hold' && !isTry(settings)) throw notFresh(settings.configName, freshness.stale)
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
  try {
    const mails = renderMails({ context, session, freshness, sender, folder, isDone: (recipient) => earlier.has(keyOf(recipient)) })
    const { stored, skipped, rowsRead } = await storeInParts(context, mails, keyOf)
    return { stored: [...earlier.values(), ...stored], skipped, rowsRead }
  } finally {
    await session.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** What an earlier attempt has stored, or the runs that this one repeats because they failed, by key. */
async function findEarlier({ config: settings, outbox, reports, run }: ReportContext) {
  const line: [string, ...string[]] = isTry(settings) ? [run.runId] : await reports.line()
  const repeated = line.slice(1)
  if (repeated.length > 0) {
    const addresses = [...settings.to, ...settings.cc, ...settings.bcc].map((address) => readAddress(address).address)
    await outbox.takeOver(repeated, settings.recipientQuery === null ? addresses : null)
  }
  const earlier = new Map((await outbox.ofRuns(line)).map((mail) => [mail.onceKey, mail.outboxId]))
  const fire = line.at(-1) ?? run.runId
  return { earlier, keyOf: (recipient: string) => `report ${fire} ${recipient}`.trimEnd() }
}

/** Stored in one transaction, which stays open for so many milliseconds at most before another mail is made. */
const storedAtOnce = { mails: 50, milliseconds: 2000 }
/** Sent before the next are looked at: so many that a way out is used well, and so few that a stopping worker soon ends. */
const sentAtOnce = 500

async function storeInParts(
  { config: settings, outbox, reports }: ReportContext,
  mails: AsyncGenerator<RenderedMail>,
  keyOf: (recipient: string) => string,
): Promise<StoredMails> {
  const dkim = await outbox.dkimKey(settings.connectionName)
  const stored: number[] = []
  const reasons = new Set<string>()
  let rowsRead = 0
  let next = await mails.next()
  while (!next.done) {
    const made: RenderedMail[] = []
    const begun = performance.now()
    const part = async function* (): AsyncGenerator<NewMail> {
      for (; !next.done; next = await mails.next()) {
        const mail = next.value
        rowsRead += mail.rowsRead
        if (mail.draft === null) {
          reasons.add(mail.why)
          continue
        }
        made.push(mail)
        const composed = await composeMail({ ...mail.draft, dkim })
        const { connectionName, whenUnknown, isPreview: isHeld } = settings
        const kind = isTry(settings) ? 'test' : 'report'
        yield { onceKey: keyOf(mail.recipient), kind, mail: composed, connectionName, whenUnknown, isHeld }
        if (made.length < storedAtOnce.mails && performance.now() - begun < storedAtOnce.milliseconds) continue
        next = await mails.next()
        return
      }
    }
    const ids = await outbox.store(part(), {
      maxBytes: settings.maxBytes,
      async within(client, outboxIds) {
        if (isTry(settings)) return
        for (const [at, outboxId] of outboxIds.entries()) {
          const { recipient, told } = made[at] ?? { recipient: '', told: [] }
          if (told.length > 0) await reports.remember(client, { outboxId, recipient, told })
        }
      },
    })
    stored.push(...ids)
  }
  return { stored, skipped: reasons.size === 0 ? null : [...reasons].join('; '), rowsRead }
}

async function sendInParts(outbox: ReportContext['outbox'], ids: number[]): Promise<OutboxMail[]> {
  const mails: OutboxMail[] = []
  for (let from = 0; from < ids.length; from += sentAtOnce) mails.push(...(await outbox.send(ids.slice(from, from + sentAtOnce))))
  return mails
}

function notFresh(configName: string, stale: Freshness['stale']): PermanentError {
  return new PermanentError('data_not_fresh', `Report "${configName}" was not sent, since its data is not fresh`, {
    detail: `${stale.map(({ words }) => words).join('; ')}.`,
    hint: "Mend the data and run it again: select dba.run_now(…). To wait for data, set hold_until in dba.reportconfig; to send all the same, when_stale = 'banner'.",
  })
}

import { JobError } from '../../systemscripts/errors.ts'
import type { MessagePart } from '../../systemscripts/mail/message-part.ts'
import type { StagedFile } from '../../systemscripts/mail/stage-file.ts'
import { atOnce } from './at-once.ts'
import type { Judged } from './judge.ts'
import { type ByteRefusal, stageJudged } from './save-files.ts'
import { rawName } from './saved-name.ts'
import type { InboxSettings } from './settings.ts'
import type { Taking } from './taking.ts'

/** A mail that stands in the ledger as `saving`. */
export interface MailToTake {
  messageId: number
  judged: Judged
}

/** One file of a mail for one rule. */
export interface Want {
  mail: MailToTake
  settings: InboxSettings
  /** Null: the whole mail. */
  part: MessagePart | null
  partId: string
  name: string
  staged: StagedFile | null
  /** Where it is, once it has its name. */
  path: string | null
}

/** What came out while the bytes were fetched. */
export interface Findings {
  gone: Set<MailToTake>
  refusals: { mail: MailToTake; configName: string; refusal: ByteRefusal }[]
}

/** The files that rules want of a mail. */
export function wantsOf(mail: MailToTake): Want[] {
  const { head, verdicts } = mail.judged
  return verdicts.flatMap(({ settings, decision }) => {
    if (decision.kind !== 'matched') return []
    const want = { mail, settings, staged: null, path: null }
    const files: Want[] = decision.attachments.map(({ part, name }) => ({ ...want, part, partId: part.partId || '1', name }))
    return settings.saveRaw ? [...files, { ...want, part: null, partId: 'eml', name: rawName(head) }] : files
  })
}

/** Writes the files that have no place yet, hidden, to the disk, as far as nothing speaks against them. */
export async function stageWants(taking: Taking, wants: Want[], findings: Findings): Promise<void> {
  await stageParts(taking, wants, findings)
  for (const want of wants) if (want.part === null && want.path === null) await stageRaw(taking, want, findings)
}

/** Files up to this size are held in memory while the next are fetched. */
const smallBytes = 256 * 1024
const writtenAtOnce = 8

async function stageParts({ context, mailbox, staging }: Taking, wants: Want[], { gone, refusals }: Findings): Promise<void> {
  const open = wants.flatMap((want) => (want.part === null || want.path !== null ? [] : [{ want, part: want.part }]))
  if (open.length === 0) return
  const waiting = new Map<MessagePart, Want[]>()
  for (const { want, part } of open) waiting.set(part, [...(waiting.get(part) ?? []), want])
  const stage = async (want: Want, content: AsyncIterable<Buffer>): Promise<void> => {
    const folder = staging.get(want.settings.configName) ?? ''
    const staged = await stageJudged(content, folder, want.name, want.settings, context.signal)
    if ('path' in staged) want.staged = staged
    else refusals.push({ mail: want.mail, configName: want.settings.configName, refusal: staged })
  }
  const writing = atOnce(writtenAtOnce)
  try {
    const wanted = open.map(({ want, part }) => ({ ref: want.mail.judged.head.ref, part }))
    for await (const { part, content } of mailbox.read(wanted)) {
      const want = waiting.get(part)?.shift()
      if (want === undefined) continue
      if (part.encodedBytes === null || part.encodedBytes > smallBytes) await stage(want, content)
      else {
        const bytes = await Array.fromAsync(content)
        await writing.add(() => stage(want, streamOf(bytes)))
      }
    }
  } finally {
    await writing.end()
  }
  for (const left of waiting.values()) for (const { mail } of left) gone.add(mail)
}

async function* streamOf(pieces: Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces
}

/** The limit is one of files; a whole mail holds them encoded, and its macros cannot run. */
async function stageRaw({ context, mailbox, staging }: Taking, want: Want, { gone }: Findings): Promise<void> {
  if (gone.has(want.mail)) return
  const { configName, rule } = want.settings
  const limits = { maxFileBytes: null, rule: { ...rule, blockedTypes: [] } }
  try {
    const content = mailbox.raw(want.mail.judged.head.ref)
    const staged = await stageJudged(content, staging.get(configName) ?? '', want.name, limits, context.signal)
    if ('path' in staged) want.staged = staged
  } catch (error) {
    if (!(error instanceof JobError && error.code === 'message_gone')) throw error
    gone.add(want.mail)
  }
}

// jobs/inbox.ts: mails are known by their fingerprint and files are written down before they get their names, so a second run takes nothing twice.
import { type CheckContext, type CheckResult, defineJob } from '../src/job/define-job.ts'
import type { Outcome } from '../src/job/outcome.ts'
import type { Mailbox } from '../systemscripts/mail/mailbox.ts'
import { atOnce } from './inbox/at-once.ts'
import { askable } from './inbox/judge.ts'
import type { LookingThrough, Tally } from './inbox/judge-and-take.ts'
import { lookThrough } from './inbox/look-through.ts'
import { openMailbox } from './inbox/open-mailbox.ts'
import { rehearse } from './inbox/rehearse.ts'
import { foldersOf, rulesOf } from './inbox/rules-of.ts'
import { stagingFolder } from './inbox/save-files.ts'
import { type InboxRequest, readRequest } from './inbox/settings.ts'
import { survey } from './inbox/survey.ts'
import type { InboxContext } from './inbox/taking.ts'

/** Groups of mails: while the files of one get their names, those of the next are fetched. */
const savedAtOnce = 2

export default defineJob({
  name: 'inbox',
  config: readRequest,
  check: lookAhead,
  async run(context) {
    const { config: settings, connections, folder, mails, signal } = context
    const facts = await connections.get(settings.connectionName)
    const mailbox = await openMailbox(facts, folder, signal)
    try {
      if (settings.rehearsal !== null) return await rehearse(context, mailbox, facts, settings.rehearsal)
      const tally: Tally = { looked: 0, saved: 0, refused: 0, failed: 0, files: 0 }
      const until = performance.now() + (settings.waitSeconds ?? 0) * 1000
      do {
        // While the run waits others may have the mailbox.
        const ledger = await mails.open(settings.connectionName, settings.folder)
        const rules = rulesOf(settings, await ledger.otherRules())
        const folders = await foldersOf(rules, ledger, folder)
        const looking: LookingThrough = {
          context,
          mailbox,
          ledger,
          connection: facts,
          folders,
          staging: new Map([...folders].map(([name, path]) => [name, stagingFolder(path, settings)])),
          now: new Date(),
          rules: askable(rules),
          tally,
          recording: atOnce(1),
          unwritten: new Set(),
          saving: atOnce(savedAtOnce),
          filing: atOnce(1),
          claimed: new Set(),
          filingFailed: null,
        }
        await lookThrough(looking, settings.folder)
      } while (await mailComes(context, mailbox, until))
      return outcomeOf(tally)
    } finally {
      await mailbox.close()
    }
  },
})

/** Waits for new mail. False: the time is over, or the server tells nothing. */
async function mailComes({ config: { folder }, progress, signal }: InboxContext, mailbox: Mailbox, until: number): Promise<boolean> {
  const seconds = (until - performance.now()) / 1000
  if (mailbox.hint === null || seconds <= 0) return false
  progress(null, 'waits for new mail')
  const comes = await mailbox.hint(folder, seconds)
  signal.throwIfAborted()
  return comes
}

function outcomeOf({ looked, saved, refused, files }: Tally): Outcome {
  const note = `${counted(looked, 'mail')} looked at, ${saved} taken with ${counted(files, 'file')}${refused === 0 ? '' : `, ${refused} refused`}.`
  return { note, files, result: { mails_looked_at: looked, mails_taken: saved, mails_refused: refused, files_saved: files } }
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** Logs in, counts the mails, and says how many of the latest each rule would take. */
async function lookAhead(context: CheckContext<InboxRequest>): Promise<CheckResult> {
  const { config: settings, connections, folder, query, signal } = context
  const mailbox = await openMailbox(await connections.get(settings.connectionName), folder, signal)
  try {
    const others = await query('select dba.inbox_rules($1, $2, $3) as rule', [
      settings.connectionName,
      settings.folder,
      settings.configName,
    ])
    const rules = rulesOf(
      settings,
      others.map(({ rule }) => rule),
    )
    return { isOk: true, message: await survey(mailbox, settings.folder, rules) }
  } finally {
    await mailbox.close()
  }
}

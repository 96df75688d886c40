import type { Mailbox } from '../../systemscripts/mail/mailbox.ts'
import type { MessageHead } from '../../systemscripts/mail/message-head.ts'
import { askable, judgeMails } from './judge.ts'
import type { InboxSettings } from './settings.ts'

const latest = 100

/** What is in a folder and what the rules would take of its latest mails, in words; nothing is touched. */
export async function survey(mailbox: Mailbox, folder: string, rules: InboxSettings[]): Promise<string> {
  const { refs } = await mailbox.look(folder, { since: null })
  const heads: MessageHead[] = []
  for await (const head of mailbox.heads(refs.slice(-latest))) heads.push(head)
  const judged = await judgeMails(mailbox, askable(rules), heads, new Date())
  const would = rules.map(({ configName }) => {
    const decisions = judged.flatMap(({ verdicts }) => verdicts.filter(({ settings }) => settings.configName === configName))
    const refused = decisions.filter(({ decision }) => decision.kind === 'refused').length
    const matched = decisions.filter(({ decision }) => decision.kind === 'matched').length
    return `"${configName}" would take ${matched}${refused === 0 ? '' : ` and refuse ${refused}`}`
  })
  const count = `${refs.length.toLocaleString('en')} ${refs.length === 1 ? 'mail' : 'mails'} in "${folder}"`
  return refs.length === 0 ? `logged in; no mail in "${folder}"` : `logged in; ${count}; of the latest ${heads.length}, ${would.join(', ')}`
}

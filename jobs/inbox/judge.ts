import { textOfPart, textParts } from '../../systemscripts/mail/body-text.ts'
import type { Mailbox, WantedPart } from '../../systemscripts/mail/mailbox.ts'
import type { MessageHead, MessageRef } from '../../systemscripts/mail/message-head.ts'
import { type Attachment, attachmentsOf, type MessagePart } from '../../systemscripts/mail/message-part.ts'
import { type CompiledRule, compileRule, judgeMessage, type MessageFacts, type RuleDecision } from '../../systemscripts/mail/rules.ts'
import type { InboxSettings } from './settings.ts'

/** A rule, ready to be asked. */
export interface Asked {
  settings: InboxSettings
  compiled: CompiledRule
}

/** A mail and what each rule makes of it, in their order. */
export interface Judged {
  head: MessageHead
  /** Null: no rule had to know. */
  attachments: Attachment[] | null
  verdicts: { settings: InboxSettings; decision: RuleDecision | TooLarge }[]
}

/** It is the mail that the rule means, but one of its files is too large. */
export interface TooLarge {
  kind: 'refused'
  filter: 'max_size_bytes'
  reason: string
}

/** @throws PermanentError `rule_pattern_invalid` */
export function askable(rules: InboxSettings[]): Asked[] {
  return rules.map((settings) => ({ settings, compiled: compileRule(settings.rule) }))
}

/** Of the text of a mail so much is looked at; longer lines are cut, so that no pattern takes long. */
const mostText = 256 * 1024
const longestLine = 2000

/**
 * Asks the rules about mails, and fetches no more of them than it takes to decide: most are decided by their header.
 * @returns in the order of `heads`; mails that are gone meanwhile are left out
 */
export async function judgeMails(mailbox: Mailbox, rules: Asked[], heads: MessageHead[], now: Date): Promise<Judged[]> {
  const compiled = rules.map((rule) => rule.compiled)
  const facts = new Map<string, Known>(heads.map((head) => [placeOf(head.ref), { head }]))
  const decided = new Map<Known, RuleDecision[]>()
  const needing = (what: 'attachments' | 'bodyText') => [...facts.values()].filter((each) => needs(each) === what)
  function needs(each: Known): 'attachments' | 'bodyText' | null {
    if (decided.has(each)) return null
    const { needs, decisions } = judgeMessage(compiled, each, now)
    if (decisions !== null) decided.set(each, decisions)
    return needs
  }

  await forThose(needing('attachments'), facts, async (refs) => {
    const found = new Map<string, MessagePart>()
    for await (const { ref, root } of mailbox.structures(refs)) found.set(placeOf(ref), root)
    return (each, place) => {
      const root = found.get(place)
      return root === undefined ? null : { ...each, root, attachments: attachmentsOf(root) }
    }
  })
  const undecided = needing('bodyText')
  const wanted = undecided.flatMap(({ head: { ref }, root }) => (root === undefined ? [] : textParts(root).map((part) => ({ ref, part }))))
  const texts = await readTexts(mailbox, wanted)
  for (const each of undecided) facts.set(placeOf(each.head.ref), { ...each, bodyText: texts.get(placeOf(each.head.ref)) ?? '' })
  return [...facts.values()].flatMap((each) => {
    needs(each)
    const decisions = decided.get(each)
    return decisions === undefined ? [] : judged(rules, each, decisions)
  })
}

type Known = MessageFacts & { root?: MessagePart }

async function forThose(
  some: Known[],
  facts: Map<string, Known>,
  fetch: (refs: MessageRef[]) => Promise<(each: Known, place: string) => Known | null>,
): Promise<void> {
  if (some.length === 0) return
  const added = await fetch(some.map(({ head }) => head.ref))
  for (const each of some) {
    const place = placeOf(each.head.ref)
    const more = added(each, place)
    if (more === null) facts.delete(place)
    else facts.set(place, more)
  }
}

async function readTexts(mailbox: Mailbox, wanted: WantedPart[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  if (wanted.length === 0) return texts
  for await (const { ref, part, content } of mailbox.read(wanted)) {
    const place = placeOf(ref)
    const text = `${texts.get(place) ?? ''}${shortLines(await textOfPart(part, content))}\n`
    texts.set(place, text.slice(0, mostText))
  }
  return texts
}

function shortLines(text: string): string {
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/\n{3,}/g, '\n\n')
    .replace(new RegExp(`[^\\n]{${longestLine}}`, 'g'), '$&\n')
}

function judged(rules: Asked[], each: Known, decisions: RuleDecision[]): Judged {
  const verdicts: Judged['verdicts'] = []
  let takenBy: string | null = null
  for (const [index, { settings }] of rules.entries()) {
    const decision = decisions[index]
    if (decision === undefined) continue
    verdicts.push({
      settings,
      decision: takenBy === null ? sized(settings, decision) : { kind: 'not_asked', reason: `"${takenBy}" took it` },
    })
    if ((decision.kind === 'matched' || decision.kind === 'refused') && settings.rule.stopOnMatch) takenBy ??= settings.configName
  }
  return { head: each.head, attachments: each.attachments ?? null, verdicts }
}

/** What a file will have when it is unpacked is an estimate: the exact limit is watched while it comes. */
const surelyLarger = 1.05

function sized({ maxFileBytes }: InboxSettings, decision: RuleDecision): RuleDecision | TooLarge {
  if (decision.kind !== 'matched' || maxFileBytes === null) return decision
  const large = decision.attachments.find(({ sizeBytes }) => sizeBytes !== null && sizeBytes > maxFileBytes * surelyLarger)
  return large === undefined ? decision : tooLarge(large.name, maxFileBytes, `about ${large.sizeBytes}`)
}

export function tooLarge(name: string, maxFileBytes: number, bytes: string): TooLarge {
  return { kind: 'refused', filter: 'max_size_bytes', reason: `"${name}" has ${bytes} bytes, allowed are ${maxFileBytes}` }
}

/** A key for maps. */
export function placeOf({ folder, uidValidity, uid }: MessageRef): string {
  return `${folder}\0${uidValidity}\0${uid}`
}

import { PermanentError } from '../errors.ts'
import type { MessageHead } from './message-head.ts'
import type { Attachment } from './message-part.ts'
import { gateRefusal, type TrustGate } from './trust/gate.ts'

/** One row of dba.inboxconfig as far as it decides. Patterns are regular expressions (JavaScript's, with i and u) that may match anywhere. */
export interface InboxRule extends TrustGate {
  configName: string
  /** Of a sender's address, or of `Name <address>`. */
  senderPattern: string | null
  /** Of any address it was sent or delivered to. */
  recipientPattern: string | null
  subjectPattern: string | null
  bodyPattern: string | null
  /** Pictures within the text do not count. With a pattern or type, only attachments that fit count. */
  hasAttachment: boolean | null
  attachmentPattern: string | null
  /** Endings (`xlsx`, `.csv`) and media types (`application/pdf`, `image/*`); one must fit. */
  attachmentTypes: string[] | null
  /** Since it was received. */
  maxAgeSeconds: number | null
  /** Of the whole message as it came. */
  maxSizeBytes: number | null
  /** The rules after it are not asked about a message that it takes, or refuses. */
  stopOnMatch: boolean
}

/** The column of dba.inboxconfig that decided. */
export type RuleFilter =
  | 'max_age'
  | 'max_size_bytes'
  | 'sender_pattern'
  | 'recipient_pattern'
  | 'subject_pattern'
  | 'has_attachment'
  | 'attachment_pattern'
  | 'attachment_types'
  | 'body_pattern'
  | 'allowed_senders'
  | 'require_authenticated'
  | 'blocked_types'

export type RuleDecision =
  /** `attachments` are those to be saved: all that fit, without pictures of the text unless the pattern names them. */
  | { kind: 'matched'; attachments: Attachment[] }
  | { kind: 'not_matched'; filter: RuleFilter; reason: string }
  /** It is the mail that the rule means, but not to be trusted. */
  | { kind: 'refused'; filter: RuleFilter; reason: string }
  /** An earlier rule took the message. */
  | { kind: 'not_asked'; reason: string }

/** What is known of a message; what is not given has not been fetched yet. */
export interface MessageFacts {
  head: MessageHead
  attachments?: Attachment[]
  bodyText?: string
}

export interface CompiledRule extends InboxRule {
  test: Record<'sender' | 'recipient' | 'subject' | 'body' | 'attachment', RegExp | null>
}

/** @throws PermanentError `rule_pattern_invalid` */
export function compileRule(rule: InboxRule): CompiledRule {
  return {
    ...rule,
    test: {
      sender: expression(rule.senderPattern, 'sender_pattern', rule),
      recipient: expression(rule.recipientPattern, 'recipient_pattern', rule),
      subject: expression(rule.subjectPattern, 'subject_pattern', rule),
      body: expression(rule.bodyPattern, 'body_pattern', rule),
      attachment: expression(rule.attachmentPattern, 'attachment_pattern', rule),
    },
  }
}

function expression(pattern: string | null, column: RuleFilter, { configName }: InboxRule): RegExp | null {
  if (pattern === null || pattern === '') return null
  try {
    return new RegExp(pattern, column === 'body_pattern' ? 'imu' : 'iu')
  } catch (cause) {
    throw new PermanentError('rule_pattern_invalid', `"${pattern}" is no regular expression`, {
      detail: `${column} of "${configName}": ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: `Correct ${column} in dba.inboxconfig; a sign that is meant as it stands gets a backslash.`,
      cause,
    })
  }
}

/**
 * Asks the rules in order what they make of a message; pure. Cheap filters come first, so that most messages are decided by their header.
 *
 * @returns `needs`: what must be fetched before it can be decided, `null` when it is; `decisions`: one for each rule, in order, when decided
 */
export function judgeMessage(
  rules: CompiledRule[],
  facts: MessageFacts,
  now: Date,
): { needs: 'attachments' | 'bodyText'; decisions: null } | { needs: null; decisions: RuleDecision[] } {
  const decisions: RuleDecision[] = []
  let takenBy: string | null = null
  for (const rule of rules) {
    const decision: RuleDecision | 'attachments' | 'bodyText' =
      takenBy === null ? judge(rule, facts, now) : { kind: 'not_asked', reason: `"${takenBy}" took it` }
    if (typeof decision === 'string') return { needs: decision, decisions: null }
    decisions.push(decision)
    if (rule.stopOnMatch && (decision.kind === 'matched' || decision.kind === 'refused')) takenBy = rule.configName
  }
  return { needs: null, decisions }
}

function judge(rule: CompiledRule, { head, attachments, bodyText }: MessageFacts, now: Date): RuleDecision | 'attachments' | 'bodyText' {
  const byHead = judgeHead(rule, head, now)
  if (byHead !== null) return byHead
  if (attachments === undefined) return 'attachments'
  const { picked, failed } = pickAttachments(rule, attachments)
  if (failed !== null) return failed
  if (rule.test.body !== null) {
    if (bodyText === undefined) return 'bodyText'
    if (!rule.test.body.test(bodyText)) return notMatched('body_pattern', `the text does not match "${rule.bodyPattern}"`)
  }
  const refusal = gateRefusal(rule, head, picked)
  return refusal === null ? { kind: 'matched', attachments: picked } : { kind: 'refused', ...refusal }
}

function judgeHead(rule: CompiledRule, head: MessageHead, now: Date): RuleDecision | null {
  const { test } = rule
  const ageSeconds = (now.getTime() - head.receivedAt.getTime()) / 1000
  if (rule.maxAgeSeconds !== null && ageSeconds > rule.maxAgeSeconds) {
    return notMatched('max_age', `received ${head.receivedAt.toISOString()}, longer ago than ${rule.maxAgeSeconds} s`)
  }
  if (rule.maxSizeBytes !== null && head.sizeBytes > rule.maxSizeBytes) {
    return notMatched('max_size_bytes', `${head.sizeBytes} bytes, allowed are ${rule.maxSizeBytes}`)
  }
  if (
    test.sender !== null &&
    !fits(
      test.sender,
      head.from.flatMap(({ name, address }) => [address, `${name} <${address}>`]),
    )
  ) {
    const from = head.from.map(({ address }) => address).join(', ')
    return notMatched('sender_pattern', `sender "${from}" does not match "${rule.senderPattern}"`)
  }
  if (!fits(test.recipient, head.recipients)) {
    const to = head.recipients.slice(0, 5).join(', ')
    return notMatched('recipient_pattern', `recipients "${to}" do not match "${rule.recipientPattern}"`)
  }
  if (!fits(test.subject, [head.subject])) {
    return notMatched('subject_pattern', `subject "${head.subject}" does not match "${rule.subjectPattern}"`)
  }
  return null
}

function fits(test: RegExp | null, texts: string[]): boolean {
  return test === null || texts.some((text) => test.test(text))
}

function pickAttachments(rule: CompiledRule, all: Attachment[]): { picked: Attachment[]; failed: RuleDecision | null } {
  const { hasAttachment, attachmentPattern, attachmentTypes, test } = rule
  const names = all.length === 0 ? 'none' : all.map(({ name }) => `"${name}"`).join(', ')
  const named = all.filter((each) => (test.attachment === null ? !each.isInline : test.attachment.test(each.name)))
  const picked = named.filter((each) => attachmentTypes === null || attachmentTypes.some((type) => isOfType(each, type)))
  const fail = (filter: RuleFilter, reason: string) => ({ picked: [], failed: notMatched(filter, reason) })
  if (hasAttachment === false) {
    return picked.length === 0 ? { picked, failed: null } : fail('has_attachment', `it has attachments: ${names}`)
  }
  if (picked.length > 0) return { picked, failed: null }
  if (test.attachment !== null && named.length === 0)
    return fail('attachment_pattern', `no attachment matches "${attachmentPattern}": ${names}`)
  if (attachmentTypes !== null) return fail('attachment_types', `no attachment is of type ${attachmentTypes.join(', ')}: ${names}`)
  return hasAttachment ? fail('has_attachment', `it has no attachment: ${names}`) : { picked, failed: null }
}

function isOfType({ name, type }: Attachment, wanted: string): boolean {
  const word = wanted.trim().toLowerCase()
  if (word.includes('/')) return word.endsWith('/*') ? type.startsWith(word.slice(0, -1)) : type === word
  return name.toLowerCase().endsWith(`.${word.replace(/^\*?\./, '')}`)
}

function notMatched(filter: RuleFilter, reason: string): RuleDecision {
  return { kind: 'not_matched', filter, reason }
}

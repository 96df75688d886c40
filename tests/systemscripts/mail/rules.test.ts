import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headOf } from '../../../systemscripts/mail/message-head.ts'
import { type Attachment, partOfHeader } from '../../../systemscripts/mail/message-part.ts'
import { compileRule, type InboxRule, judgeMessage, type MessageFacts, type RuleDecision } from '../../../systemscripts/mail/rules.ts'
import { plainMail } from './make-mail.ts'

const now = new Date('2026-11-20T09:00:00Z')
const anything: InboxRule = {
  configName: 'prices',
  senderPattern: null,
  recipientPattern: null,
  subjectPattern: null,
  bodyPattern: null,
  hasAttachment: null,
  attachmentPattern: null,
  attachmentTypes: null,
  maxAgeSeconds: null,
  maxSizeBytes: null,
  stopOnMatch: true,
  allowedSenders: null,
  requireAuthenticated: false,
  authenticationServer: null,
  blockedTypes: null,
}

function facts(names: string[] = ['prices.xlsx'], bodyText = 'See the file.'): MessageFacts {
  const raw = plainMail({
    from: 'Ann Smith <ann@example.com>',
    to: 'us@example.org',
    subject: 'Prices of März',
    above: ['Delivered-To: feeds@example.org'],
  })
  const ref = { folder: 'INBOX', uidValidity: '1', uid: '1' }
  const head = headOf(raw, { ref, receivedAt: new Date('2026-11-20T08:00:00Z'), sizeBytes: 5000, isSeen: false })
  return { head, bodyText, attachments: names.map(attachment) }
}

function attachment(name: string): Attachment {
  const isInline = name.startsWith('logo')
  return { part: partOfHeader([], '1'), name, type: isInline ? 'image/png' : 'application/octet-stream', sizeBytes: 10, isInline }
}

function decide(rule: Partial<InboxRule>, message = facts()): RuleDecision {
  const { decisions } = judgeMessage([compileRule({ ...anything, ...rule })], message, now)
  return decisions?.[0] ?? assert.fail('not decided')
}

test('each filter that fails is named with what was seen', () => {
  const failing: [Partial<InboxRule>, filter: string, reason: RegExp][] = [
    [{ senderPattern: '@acme\\.com$' }, 'sender_pattern', /"ann@example.com" does not match "@acme/],
    [{ recipientPattern: 'sales@' }, 'recipient_pattern', /us@example.org, feeds@example.org/],
    [{ subjectPattern: '^Invoice' }, 'subject_pattern', /"Prices of März"/],
    [{ bodyPattern: 'urgent' }, 'body_pattern', /the text does not match/],
    [{ hasAttachment: false }, 'has_attachment', /"prices.xlsx"/],
    [{ attachmentPattern: '\\.csv$' }, 'attachment_pattern', /"prices.xlsx"/],
    [{ attachmentTypes: ['csv', 'application/pdf'] }, 'attachment_types', /csv, application\/pdf: "prices.xlsx"/],
    [{ maxAgeSeconds: 1800 }, 'max_age', /2026-11-20T08:00:00/],
    [{ maxSizeBytes: 4999 }, 'max_size_bytes', /5000 bytes, allowed are 4999/],
  ]
  for (const [rule, filter, reason] of failing) {
    const decision = decide(rule)
    assert.equal(decision.kind, 'not_matched')
    assert.ok(decision.kind === 'not_matched' && decision.filter === filter, filter)
    assert.match(decision.reason, reason)
  }
  const none = decide({ hasAttachment: true }, facts([]))
  assert.ok(none.kind === 'not_matched' && none.filter === 'has_attachment')
})

test('patterns match anywhere, in any case, and know letters beyond ASCII', () => {
  for (const rule of [
    { senderPattern: 'ANN@' },
    { senderPattern: '^ann smith <' },
    { recipientPattern: '^FEEDS@example\\.org$' },
    { subjectPattern: 'MÄRZ' },
    { bodyPattern: '^see' },
    { attachmentPattern: '^PRICES\\.' },
    { attachmentTypes: ['.XLSX'] },
    { attachmentTypes: ['application/*'] },
    { maxAgeSeconds: 3600, maxSizeBytes: 5000 },
  ]) {
    assert.equal(decide(rule).kind, 'matched', JSON.stringify(rule))
  }
})

test('the attachments that fit are taken, pictures of the text only when they are named', () => {
  const taken = (rule: Partial<InboxRule>): string[] => {
    const decision = decide(rule, facts(['logo.png', 'prices.xlsx', 'terms.pdf']))
    return decision.kind === 'matched' ? decision.attachments.map(({ name }) => name) : []
  }
  assert.deepEqual(taken({}), ['prices.xlsx', 'terms.pdf'])
  assert.deepEqual(taken({ attachmentPattern: 'xlsx$' }), ['prices.xlsx'])
  assert.deepEqual(taken({ attachmentPattern: 'logo' }), ['logo.png'])
  assert.deepEqual(taken({ attachmentTypes: ['pdf'] }), ['terms.pdf'])
  assert.equal(decide({ hasAttachment: true }, facts(['logo.png'])).kind, 'not_matched')
  assert.equal(decide({ hasAttachment: false }, facts(['logo.png'])).kind, 'matched')
})

test('a message is fetched only as far as it must be to decide', () => {
  const { head } = facts()
  const byBody = compileRule({ ...anything, subjectPattern: 'prices', bodyPattern: 'file' })
  const other = compileRule({ ...anything, subjectPattern: 'invoice', bodyPattern: 'file' })
  assert.equal(judgeMessage([other], { head }, now).needs, null)
  assert.equal(judgeMessage([other, byBody], { head }, now).needs, 'attachments')
  assert.equal(judgeMessage([other, byBody], { head, attachments: [] }, now).needs, 'bodyText')
  assert.equal(judgeMessage([other, byBody], { head, attachments: [], bodyText: 'the file' }, now).needs, null)
})

test('the first rule that matches stops the others unless it lets them go on', () => {
  const kinds = (stopOnMatch: boolean): string[] => {
    const rules = [{ subjectPattern: 'invoice' }, { stopOnMatch }, { configName: 'later' }].map((rule) =>
      compileRule({ ...anything, ...rule }),
    )
    return judgeMessage(rules, facts(), now).decisions?.map(({ kind }) => kind) ?? []
  }
  assert.deepEqual(kinds(true), ['not_matched', 'matched', 'not_asked'])
  assert.deepEqual(kinds(false), ['not_matched', 'matched', 'matched'])
})

test('mail that a rule does not mean is not refused by its trust gate', () => {
  const strict = { allowedSenders: ['acme.com'], blockedTypes: ['xlsx'] }
  assert.equal(decide({ ...strict, subjectPattern: 'invoice' }).kind, 'not_matched')
  const refused = decide({ ...strict, subjectPattern: 'prices' })
  assert.deepEqual(refused, { kind: 'refused', filter: 'allowed_senders', reason: 'sender "ann@example.com" is not allowed' })
  const blocked = decide({ allowedSenders: ['example.com'], attachmentPattern: 'js$' }, facts(['a.js', 'b.xlsx']))
  assert.ok(blocked.kind === 'refused' && blocked.filter === 'blocked_types')
  assert.equal(decide({ attachmentPattern: 'xlsx$' }, facts(['a.js', 'b.xlsx'])).kind, 'matched', 'what is not taken does no harm')
})

test('a pattern that cannot be read is refused with its column', () => {
  assert.throws(() => compileRule({ ...anything, bodyPattern: '(' }), {
    code: 'rule_pattern_invalid',
    detail: /^body_pattern of "prices": /,
  })
})

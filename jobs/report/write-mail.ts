/** Puts the answers of a report into one mail: head, body, what has to be said with it, foot. */
import { escapeHtml } from '../../systemscripts/documents/html-table.ts'
import type { MailDraft } from '../../systemscripts/outgoing-mail/composed-mail.ts'
import { plainText } from '../../systemscripts/outgoing-mail/plain-text.ts'
import { type Answer, headingHtml } from './answers.ts'
import type { ChangeBlock } from './changes.ts'
import type { Addressed } from './recipients.ts'
import { isAttached, type ReportSettings } from './settings.ts'
import { fillTemplate, placesOf } from './template.ts'

export interface MailParts {
  settings: ReportSettings
  sender: string
  addressed: Addressed
  answers: Answer[]
  /** By query name. */
  changes: ReadonlyMap<string, ChangeBlock>
  /** What `{word}` stands for. */
  words: ReadonlyMap<string, string>
  /** A line in red above all else; null: none. */
  banner: string | null
  findings: string[]
  /** Lines of the foot. */
  foot: string[]
}

const font = 'font-family:Arial,Helvetica,sans-serif'

/** @throws PermanentError `place_not_filled` */
export async function writeMail(parts: MailParts): Promise<MailDraft> {
  const { settings, sender, addressed, answers, words } = parts
  const subject = fillTemplate(settings.subject, 'subject', { places: new Map(), words, write: (word) => word.replace(/\s+/g, ' ') })
  const isTest = settings.testTo !== null
  return {
    sender,
    to: settings.testTo ?? addressed.to,
    cc: isTest ? [] : addressed.cc,
    bcc: isTest ? [] : addressed.bcc,
    replyTo: settings.replyTo,
    subject: `${isTest ? '[Test] ' : ''}${parts.banner === null ? '' : '[data not fresh] '}${subject}`,
    html: writeHtml(parts),
    text: await writeText(parts),
    files: answers.flatMap(({ files }) => files),
  }
}

/** A short mail in place of the report, when its data is late. */
export function writeDelayNote(
  { settings, sender, addressed, words, foot }: Omit<MailParts, 'answers' | 'changes' | 'banner' | 'findings'>,
  stale: string[],
): MailDraft {
  const subject = fillTemplate(settings.subject, 'subject', { places: new Map(), words, write: (word) => word })
  const lines = ['This report is delayed, since its data is not complete yet.', `Not up to date: ${stale.join(', ')}.`]
  const html = lines.map((line) => `<p style="${font};font-size:14px;margin:4px 0">${escapeHtml(line)}</p>`).join('\n')
  return {
    sender,
    to: settings.testTo ?? addressed.to,
    cc: settings.testTo === null ? addressed.cc : [],
    bcc: settings.testTo === null ? addressed.bcc : [],
    replyTo: settings.replyTo,
    subject: `${settings.testTo === null ? '' : '[Test] '}[delayed] ${subject}`,
    html: page(html + footHtml(foot)),
    text: [...lines, '', ...footText(foot)].join('\n'),
  }
}

function writeHtml({ settings, answers, changes, words, banner, findings, foot }: MailParts): string {
  const template = settings.bodyHtml ?? defaultBody(answers)
  const named = placesOf(template)
  const places = placesFor(answers, changes, named, 'html')
  const body = fillTemplate(template, 'body_html', { places, words, write: escapeHtml })
  const before = [
    ...(settings.testTo === null ? [] : [line('This is a test; nobody else got this mail.', '#92400e')]),
    ...(banner === null ? [] : [line(banner, '#b91c1c')]),
  ]
  const after = [
    ...answers.flatMap(({ notes }) => notes).map((note) => `<p style="${font};font-size:12px;margin:4px 0">${escapeHtml(note)}</p>`),
    ...(findings.length === 0
      ? []
      : [
          `<p style="${font};font-size:13px;margin:14px 0 4px 0;font-weight:bold">Quality findings of the day</p><ul style="${font};font-size:13px;margin:4px 0">${findings.map((found) => `<li>${escapeHtml(found)}</li>`).join('')}</ul>`,
        ]),
    footHtml(foot),
  ]
  return within(body, before.join('\n'), after.join('\n'))
}

async function writeText({ settings, answers, changes, words, banner, findings, foot }: MailParts): Promise<string> {
  const before = [
    ...(settings.testTo === null ? [] : ['This is a test; nobody else got this mail.', '']),
    ...(banner === null ? [] : [banner, '']),
  ]
  const after = [
    ...answers.flatMap(({ notes }) => notes),
    ...(findings.length === 0 ? [] : ['', 'Quality findings of the day', ...findings.map((found) => `- ${found}`)]),
    '',
    ...footText(foot),
  ]
  const body = await bodyText({ settings, answers, changes, words })
  return [...before, body, ...after].join('\n').replace(/\n{3,}/g, '\n\n')
}

/** Tables read better aligned than as what is left of their HTML, so they are put in after the rest has become text. */
async function bodyText({
  settings,
  answers,
  changes,
  words,
}: Pick<MailParts, 'settings' | 'answers' | 'changes' | 'words'>): Promise<string> {
  const template = settings.bodyText ?? settings.bodyHtml ?? defaultBody(answers)
  const places = placesFor(answers, changes, placesOf(template), 'text')
  const plain = (word: string) => word
  if (settings.bodyText !== null) return fillTemplate(template, 'body_text', { places, words, write: plain })
  const shown = await plainText(template)
  return fillTemplate(shown, 'body_html', { places, words, write: plain })
}

function placesFor(
  answers: Answer[],
  changes: ReadonlyMap<string, ChangeBlock>,
  named: Set<string>,
  form: 'html' | 'text',
): Map<string, string> {
  const places = new Map<string, string>()
  for (const { query, [form]: shown } of answers) {
    const block = changes.get(query.queryName)?.[form]
    places.set(query.queryName, block === undefined || named.has(`${query.queryName}.changes`) ? shown : `${shown}${block}`)
    if (block !== undefined) places.set(`${query.queryName}.changes`, block)
  }
  return places
}

/** All that is shown, one below the other; what has no title of its own goes by its name where there are several. */
function defaultBody(answers: Answer[]): string {
  const shown = answers.filter(({ query }) => !isAttached(query))
  return shown
    .map(({ query: { queryName, title, shownAs } }) => {
      const isNamed = title === null && shown.length > 1 && (shownAs === 'table' || shownAs === 'value' || shownAs === 'sparkline')
      return `${isNamed ? headingHtml(queryName.replaceAll('_', ' ')) : ''}<div>{{${queryName}}}</div>`
    })
    .join('\n')
}

function line(words: string, colour: string): string {
  return `<p style="${font};font-size:14px;font-weight:bold;margin:0 0 10px 0;padding:8px 12px;background:${colour};color:#ffffff">${escapeHtml(words)}</p>`
}

function footHtml(foot: string[]): string {
  return `<p style="${font};font-size:12px;line-height:1.5;color:#7b818c;margin:18px 0 0 0;padding-top:8px;border-top:1px solid #9ca3af">${foot.map(escapeHtml).join('<br>')}</p>`
}

function footText(foot: string[]): string[] {
  return ['-- ', ...foot]
}

/** Goes into the page that somebody wrote whole, or makes one around its parts. */
function within(body: string, before: string, after: string): string {
  const opening = /<body[^>]*>/i.exec(body)
  if (opening === null) return page(`${before}\n${body}\n${after}`)
  const start = opening.index + opening[0].length
  const closing = body.toLowerCase().lastIndexOf('</body')
  const end = closing === -1 ? body.length : closing
  return `${body.slice(0, start)}\n${before}${body.slice(start, end)}${after}\n${body.slice(end)}`
}

function page(content: string): string {
  return `<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>
<body style="${font};font-size:14px">
${content}
</body></html>
`
}

/** Notes to chat programs and other listeners, by a webhook: JSON in the shape that the other side knows. */
import { createHash } from 'node:crypto'
import { callUrl } from './call-url.ts'
import { PermanentError } from './errors.ts'

export type WebhookShape = 'generic' | 'slack' | 'teams'

export interface WebhookNote {
  /** One line. */
  title: string
  /** `info` for good news. */
  severity: 'severe' | 'warning' | 'info'
  /** Paragraphs of plain text. */
  lines: string[]
  /** What is to be typed; null: nothing. */
  code: string | null
  /** Where to read on; null: nowhere. */
  link: string | null
  /** The same for machines; goes out in shape `generic`. */
  facts: Record<string, unknown>
}

export interface Webhook {
  /** The whole address: a secret. */
  url: string
  shape: WebhookShape
  /** Whether it may be in an inner network. */
  allowsPrivate: boolean
  /** Whether http:// will do. */
  allowsPlain: boolean
  timeoutSeconds: number
}

/** What chat programs take of one text, less some room for what stands around it. */
const LONGEST_TEXT = 2800

/**
 * Posts one note. The same note carries the same header `idempotency-key` each time, so that a listener can tell a repetition.
 *
 * @returns what the other side answered, in words
 * @throws as callUrl; PermanentError `webhook_not_encrypted`
 */
export async function postNote(webhook: Webhook, note: WebhookNote, key: string, signal?: AbortSignal): Promise<string> {
  refusePlainAddress(webhook)
  const { status, text } = await callUrl({
    url: webhook.url,
    method: 'POST',
    headers: { 'idempotency-key': createHash('sha256').update(key).digest('hex') },
    body: JSON.stringify(noteBody(webhook.shape, note)),
    allowsPrivate: webhook.allowsPrivate,
    timeoutSeconds: webhook.timeoutSeconds,
    ...(signal === undefined ? {} : { signal }),
  })
  return [status, text.slice(0, 200)].filter((part) => part !== '').join(' ')
}

/** @throws PermanentError `webhook_not_encrypted` */
export function refusePlainAddress({ url, allowsPlain }: Webhook): void {
  if (allowsPlain || !/^http:/i.test(url)) return
  throw new PermanentError('webhook_not_encrypted', 'The address of the webhook begins with http://', {
    hint: 'Use its https:// address, or set tls = off in dba.connection.',
  })
}

/** The JSON that a listener of this shape understands: Slack's Block Kit, an Adaptive Card 1.4 for Teams, or title, text and facts. */
export function noteBody(shape: WebhookShape, note: WebhookNote): Record<string, unknown> {
  if (shape === 'slack') return slackBody(note)
  if (shape === 'teams') return teamsBody(note)
  const { title, severity, lines, code, link, facts } = note
  return { title, severity, text: lines.join('\n'), code, link, ...facts }
}

const SLACK_SIGNS = { severe: ':red_circle:', warning: ':large_orange_circle:', info: ':large_green_circle:' } as const

function slackBody({ title, severity, lines, code, link }: WebhookNote): Record<string, unknown> {
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } })
  return {
    text: slackText(title),
    blocks: [
      section(`${SLACK_SIGNS[severity]} *${slackText(shortened(title, 250))}*`),
      ...(lines.length === 0 ? [] : [section(slackText(shortened(lines.join('\n'), LONGEST_TEXT)))]),
      ...(code === null ? [] : [section(`\`\`\`${slackText(shortened(code, LONGEST_TEXT))}\`\`\``)]),
      ...(link === null ? [] : [section(`<${link}|Open in Rota>`)]),
    ],
  }
}

/** Slack reads these three, and nothing else is escaped there. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const TEAMS_COLOURS = { severe: 'attention', warning: 'warning', info: 'good' } as const

function teamsBody({ title, severity, lines, code, link }: WebhookNote): Record<string, unknown> {
  const block = (text: string, more: Record<string, unknown> = {}) => ({ type: 'TextBlock', text, wrap: true, ...more })
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      block(markdownText(title), { weight: 'bolder', size: 'medium', color: TEAMS_COLOURS[severity] }),
      ...lines.map((line) => block(markdownText(shortened(line, LONGEST_TEXT)))),
      ...(code === null ? [] : [block(markdownText(shortened(code, LONGEST_TEXT)), { fontType: 'monospace' })]),
    ],
    ...(link === null ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open in Rota', url: link }] }),
  }
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] }
}

/** A card takes a little Markdown: names with stars or underscores would lose them. */
function markdownText(text: string): string {
  return text.replace(/[\\*_[\]]/g, '\\$&')
}

function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`
}

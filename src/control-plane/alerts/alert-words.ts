/** Alerts in words: the same for mails and webhooks. */
import type { WebhookNote } from '../../../systemscripts/webhook.ts'
import type { AlertNews } from './told-alert.ts'

const KIND_WORDS: Record<AlertNews['kind'], string> = {
  failed: 'failed',
  missed: 'missed',
  late: 'late',
  absent: 'nothing arrived',
  slow: 'slow',
  small: 'less than usual',
  empty: 'empty',
  quarantined: 'held back',
  worker_gone: 'no worker',
  connection: 'does not answer',
  secret: 'expires',
  disk: 'disk filling',
  mail: 'mail does not arrive',
}

/** More lines than this nobody reads. */
const MOST_LINES = 1000

/** One line for the subject of a mail, without `[Rota]`. */
export function titleOf(letter: AlertNews[]): string {
  const [first] = letter
  if (first === undefined) return 'nothing'
  if (first.event === 'digest') {
    const open = letter.filter(({ state }) => state !== 'recovered').length
    return [`daily: ${open} open`, ...(open < letter.length ? [`${letter.length - open} recovered`] : [])].join(', ')
  }
  if (letter.length === 1) return oneTitle(first)
  const counts = Map.groupBy(letter, (news) => (news.event === 'recovered' ? 'recovered' : KIND_WORDS[news.kind]))
  const parts = [...counts].sort(([, a], [, b]) => b.length - a.length).map(([word, of]) => `${of.length} ${word}`)
  return `${letter.length} alerts: ${parts.join(', ')}`
}

function oneTitle({ event, kind, subject, count, assignedTo }: AlertNews): string {
  const word = KIND_WORDS[kind]
  const plain = subject.replace(/[\s\p{Cc}]+/gu, ' ')
  if (event === 'recovered') return `recovered: ${plain} (${word})`
  const beginning = event === 'repeated' ? `still ${word}` : event === 'assigned' ? `for ${assignedTo}: ${word}` : word
  return `${beginning}: ${plain}${count > 1 ? ` (${ordinal(count)} time)` : ''}`
}

/** 1st, 2nd, 3rd, 11th. */
export function ordinal(count: number): string {
  const ending = count % 100 >= 11 && count % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th')
  return `${count}${ending}`
}

/** What is wrong, why, and since when, as paragraphs. */
export function paragraphsOf(news: AlertNews): string[] {
  if (news.event === 'recovered') {
    return [
      `It is over: ${news.closedReason ?? 'it is no longer so'}.`,
      `It had been so since ${news.openedAt}, until ${news.closedAt ?? 'now'}: ${news.message ?? ''}`,
    ]
  }
  return [
    ...(news.message === null ? [] : [sentence(news.message)]),
    ...(news.why === null ? [] : [news.why]),
    `Since ${news.openedAt}${news.count > 1 ? `, ${news.count} times` : ''}.${news.owner === null ? '' : ` Owner: ${news.owner}.`}${news.assignedTo === null ? '' : ` Assigned to ${news.assignedTo}.`}`,
  ]
}

function sentence(words: string): string {
  const [first = ''] = words
  return `${first.toUpperCase()}${words.slice(first.length)}${/[.!?]$/.test(words) ? '' : '.'}`
}

/** A line of a list. */
export function lineOf(news: AlertNews): string {
  const { event, state, kind, subject, count } = news
  const isOver = event === 'recovered' || (event === 'digest' && state === 'recovered')
  const by = event === 'digest' && !isOver && news.acknowledgedBy !== null ? ` (${state} by ${news.acknowledgedBy})` : ''
  const what = isOver
    ? `recovered, ${news.closedReason ?? 'it is no longer so'}`
    : `${KIND_WORDS[kind]}: ${news.message ?? ''}${count > 1 ? ` (${count} times)` : ''}`
  return `${subject}: ${what}${by}`
}

/** Lines of a letter with several alerts: what is open first, and how many more there are. */
export function listOf(letter: AlertNews[], most = MOST_LINES): string[] {
  const bySubject = new Intl.Collator('en', { numeric: true })
  const isOver = (news: AlertNews): number => (news.event === 'recovered' || news.state === 'recovered' ? 1 : 0)
  const lines = letter.toSorted((a, b) => isOver(a) - isOver(b) || bySubject.compare(a.subject, b.subject)).map(lineOf)
  return lines.length <= most
    ? lines
    : [...lines.slice(0, most), `… and ${lines.length - most} more: select * from dba.alert where state = 'open';`]
}

/** What to type for a letter: the fix, and how to have it quiet. */
export function codeOf(letter: AlertNews[]): string | null {
  const [first] = letter
  if (first === undefined || first.event === 'recovered') return null
  if (letter.length > 1) return `select * from dba.problem;`
  return [first.fix, `update dba.alert set state = 'acknowledged' where alert_id = ${first.alertId};`]
    .filter((line) => line !== null)
    .join('\n')
}

export function linkOf(letter: AlertNews[], publicAddress: string | null): string | null {
  const [first] = letter
  return publicAddress === null || first === undefined
    ? null
    : letter.length === 1
      ? `${publicAddress}/alerts/${first.alertId}`
      : `${publicAddress}/alerts`
}

export function severityOf(letter: AlertNews[]): WebhookNote['severity'] {
  const open = letter.filter(({ event, state }) => event !== 'recovered' && state !== 'recovered')
  return open.some(({ severity }) => severity === 'severe') ? 'severe' : open.length > 0 ? 'warning' : 'info'
}

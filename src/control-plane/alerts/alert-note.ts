import type { WebhookNote } from '../../../systemscripts/webhook.ts'
import { codeOf, lineOf, linkOf, listOf, paragraphsOf, severityOf, titleOf } from './alert-words.ts'
import type { AlertNews } from './told-alert.ts'

/** Chat programs cut what is longer. */
const MOST_LINES = 20

/** A letter as a webhook takes it. */
export function noteOf(letter: AlertNews[], publicAddress: string | null): WebhookNote {
  const [first] = letter
  return {
    title: titleOf(letter),
    severity: severityOf(letter),
    lines: letter.length === 1 && first !== undefined && first.event !== 'digest' ? paragraphsOf(first) : listOf(letter, MOST_LINES),
    code: codeOf(letter),
    link: linkOf(letter, publicAddress),
    facts: {
      source: 'rota',
      alerts: letter.map((news) => ({
        alert_id: news.alertId,
        event: news.event,
        kind: news.kind,
        subject: news.subject,
        severity: news.severity,
        state: news.state,
        count: news.count,
        message: news.message,
        fix: news.fix,
        line: lineOf(news),
      })),
    },
  }
}

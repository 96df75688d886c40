import { composeMail } from '../../../systemscripts/outgoing-mail/compose-mail.ts'
import type { ComposedMail, DkimKey } from '../../../systemscripts/outgoing-mail/composed-mail.ts'
import { codeOf, linkOf, listOf, paragraphsOf, severityOf, titleOf } from './alert-words.ts'
import type { AlertNews, AlertTerms } from './told-alert.ts'

const COLOURS = { severe: '#b3261e', warning: '#b26a00', info: '#1e7d34' } as const

/** A letter as a mail: short, readable without pictures or styles, with what to type. */
export async function composeAlert(
  letter: AlertNews[],
  { sender, publicAddress }: AlertTerms,
  dkim: DkimKey | null,
): Promise<ComposedMail> {
  const [first] = letter
  const isOne = letter.length === 1 && first?.event !== 'digest'
  const title = titleOf(letter)
  const said = isOne && first !== undefined ? paragraphsOf(first) : listOf(letter)
  const code = codeOf(letter)
  const link = linkOf(letter, publicAddress)
  const footer = 'Rota wrote this by itself. Who was told of what: select * from dba.alert_told;'
  const text = [
    title,
    '',
    ...(isOne ? said : said.map((line) => `- ${line}`)),
    ...(code === null ? [] : ['', code]),
    ...(link === null ? [] : ['', link]),
    '',
    footer,
  ]
  const body = isOne
    ? said.map((line) => `<p style="margin:0 0 12px">${htmlText(line)}</p>`).join('')
    : `<ul style="margin:0 0 12px;padding-left:20px">${said.map((line) => `<li>${htmlText(line)}</li>`).join('')}</ul>`
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>
<body style="margin:0;padding:16px;font-family:Segoe UI,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.45">
<div style="max-width:720px;border-left:4px solid ${COLOURS[severityOf(letter)]};padding-left:14px">
<p style="margin:0 0 12px;font-size:18px;font-weight:600">${htmlText(title)}</p>
${body}
${code === null ? '' : `<pre style="margin:0 0 12px;white-space:pre-wrap;font-family:Consolas,Menlo,monospace;font-size:13px">${htmlText(code)}</pre>`}
${link === null ? '' : `<p style="margin:0 0 12px"><a href="${htmlText(link)}">Open in Rota</a></p>`}
<p style="margin:16px 0 0;font-size:12px;opacity:0.7">${htmlText(footer)}</p>
</div></body></html>`
  return composeMail({
    sender: sender ?? 'Rota <rota@localhost>',
    to: first === undefined ? [] : [first.address],
    subject: `[Rota] ${title}`.slice(0, 200).toWellFormed(),
    html,
    text: text.join('\n'),
    dkim,
  })
}

function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

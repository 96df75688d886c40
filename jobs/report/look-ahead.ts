import type { CheckContext, CheckResult } from '../../src/job/define-job.ts'
import { bindNamed } from '../../systemscripts/query-session/named-parameters.ts'
import { openQuerySession } from '../../systemscripts/query-session.ts'
import { ofQuery } from './answers.ts'
import { findServer } from './server.ts'
import type { ReportSettings } from './settings.ts'
import { fillTemplate } from './template.ts'
import { wordsFor } from './words.ts'

/** Has Postgres read every query, and the templates looked through, without asking or sending anything. */
export async function lookAhead({ config: settings, connections, signal }: CheckContext<ReportSettings>): Promise<CheckResult> {
  const session = await openQuerySession({
    server: await findServer(connections, settings.queryConnection),
    applicationName: 'rota report check',
    timeoutSeconds: 20,
    timeZone: settings.timeZone,
    signal,
  })
  try {
    const values = new Map<string, string | null>([['as_of', new Date().toISOString()]])
    const bind = (text: string) => bindNamed(text, values, new Map([['as_of', 'timestamptz']]))
    if (settings.recipientQuery !== null) {
      const answer = await session
        .ask(bind(settings.recipientQuery), 0)
        .catch((error) => Promise.reject(ofQuery({ queryName: 'recipient_query' }, error)))
      for (const { name } of answer.columns) values.set(name, null)
    }
    for (const query of settings.queries) await session.plan(bind(query.text)).catch((error) => Promise.reject(ofQuery(query, error)))
    lookAtTemplates(settings, new Map([...values].filter(([name]) => name !== 'as_of')))
  } finally {
    await session.close()
  }
  const people = settings.to.length + settings.cc.length + settings.bcc.length
  const goesTo = settings.recipientQuery === null ? `${people} ${people === 1 ? 'recipient' : 'recipients'}` : 'the recipients of its query'
  const queries = settings.queries.length
  return { isOk: true, message: `Postgres understands ${queries} ${queries === 1 ? 'query' : 'queries'}; goes to ${goesTo}` }
}

/** @throws PermanentError `place_not_filled` */
function lookAtTemplates({ subject, bodyHtml, bodyText, queries }: ReportSettings, values: ReadonlyMap<string, string | null>): void {
  const words = wordsFor(new Date(), 'UTC', values)
  const places = new Map(
    queries.flatMap(({ queryName, changeKeys }) => [
      [queryName, ''] as const,
      ...(changeKeys.length > 0 ? [[`${queryName}.changes`, ''] as const] : []),
    ]),
  )
  const write = (word: string) => word
  fillTemplate(subject, 'subject', { places: new Map(), words, write })
  if (bodyHtml !== null) fillTemplate(bodyHtml, 'body_html', { places, words, write })
  if (bodyText !== null) fillTemplate(bodyText, 'body_text', { places, words, write })
  for (const { fileName } of queries) if (fileName !== null) fillTemplate(fileName, 'file_name', { places: new Map(), words, write })
}

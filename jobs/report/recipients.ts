import { eachRow, type Row, type RowSource } from '../../systemscripts/documents/row-source.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { BoundStatement } from '../../systemscripts/query-session/named-parameters.ts'
import type { QuerySession } from '../../systemscripts/query-session.ts'
import { ofQuery } from './answers.ts'
import type { ReportSettings } from './settings.ts'

/** One mail: who gets it, and what is filled in for them. */
export interface Addressed {
  /** Tells it from the other mails of the run: the address of a recipient query, else ''. */
  recipient: string
  to: string[]
  cc: string[]
  bcc: string[]
  /** Columns of the recipient query. */
  values: ReadonlyMap<string, string | null>
}

/** Mails of one run; more are taken for a mistake in the query. */
const mailsAtMost = 100_000

/**
 * Who gets a mail: the fixed lists make one mail, a recipient query one per row.
 *
 * @throws PermanentError `recipient_query_invalid`, `recipient_not_allowed`, `mail_without_recipient`
 */
export async function findRecipients(
  settings: ReportSettings,
  session: QuerySession,
  bind: (text: string) => BoundStatement,
): Promise<Addressed[]> {
  const { recipientQuery, to, cc, bcc } = settings
  const mails =
    recipientQuery === null
      ? [{ recipient: '', to, cc, bcc, values: new Map<string, string | null>() }]
      : await askRecipients(settings, session, bind(recipientQuery))
  for (const mail of mails) refuseForeign(settings, mail)
  if (recipientQuery === null && to.length + cc.length + bcc.length === 0) {
    throw new PermanentError('mail_without_recipient', `Report "${settings.configName}" goes to nobody`, {
      hint: 'Fill to_addresses in dba.reportconfig, or add rows to dba.reportrecipient.',
    })
  }
  return mails
}

async function askRecipients(settings: ReportSettings, session: QuerySession, statement: BoundStatement): Promise<Addressed[]> {
  const { answer, rows } = await readRows(session, statement)
  const names = answer.columns.map(({ name }) => name)
  if (!names.includes('address')) {
    throw invalid(
      'has no column "address"',
      `It has ${names.join(', ')}.`,
      'Name the column with the mail address so: select email as address, ….',
    )
  }
  const mails = new Map<string, Addressed>()
  for (const row of rows) {
    const values = new Map(names.map((name, at) => [name, row[at] ?? null]))
    const to = addresses(values.get('address'))
    if (to.length === 0)
      throw invalid(
        'answers a row without an address',
        `Row ${mails.size + 1}.`,
        'Leave rows without address out: where email is not null.',
      )
    const recipient = to.join(', ')
    if (mails.has(recipient)) {
      throw invalid(
        `answers "${recipient}" twice`,
        'Each address is one mail, and would get two.',
        'Answer each address once: select distinct on (email) …, or group by email.',
      )
    }
    mails.set(recipient, {
      recipient,
      to,
      cc: [...settings.cc, ...addresses(values.get('cc'))],
      bcc: [...settings.bcc, ...addresses(values.get('bcc'))],
      values,
    })
  }
  if (answer.withheld?.() !== 0)
    throw invalid(`answers more than ${mailsAtMost} rows`, 'Each would be a mail.', 'Answer the recipients only.')
  return [...mails.values()]
}

async function readRows(session: QuerySession, statement: BoundStatement): Promise<{ answer: RowSource; rows: Row[] }> {
  try {
    const answer = await session.ask(statement, mailsAtMost)
    const rows: Row[] = []
    for await (const row of eachRow(answer)) rows.push(row)
    return { answer, rows }
  } catch (error) {
    throw ofQuery({ queryName: 'recipient_query' }, error)
  }
}

/** Commas part addresses, but not within a name in quotes. */
function addresses(list: string | null | undefined): string[] {
  return (
    (list ?? '')
      .match(/(?:"[^"]*"|[^,"])+/g)
      ?.map((one) => one.trim())
      .filter((one) => one !== '') ?? []
  )
}

/** What rows may name was judged when they were written; what a query answers is judged here. */
function refuseForeign({ allowedDomains, configName }: ReportSettings, { to, cc, bcc }: Addressed): void {
  if (allowedDomains === null) return
  for (const address of [...to, ...cc, ...bcc]) {
    const domain = /@([^@>\s]+)>?\s*$/.exec(address)?.[1]?.toLowerCase() ?? ''
    if (allowedDomains.includes(domain)) continue
    throw new PermanentError('recipient_not_allowed', `Report "${configName}" may not go to "${address}"`, {
      detail: `Allowed are ${allowedDomains.join(', ')}. Nothing was sent to anybody.`,
      hint: 'Correct the address, or add its domain to allowed_domains in dba.reportconfig.',
    })
  }
}

function invalid(what: string, detail: string, hint: string): PermanentError {
  return new PermanentError('recipient_query_invalid', `recipient_query ${what}`, { detail, hint })
}

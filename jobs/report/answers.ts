/** The answers of a report's queries, each as it stands in the mail. */
import { join } from 'node:path'
import { drawChart } from '../../systemscripts/documents/chart.ts'
import { csvDocument } from '../../systemscripts/documents/csv-document.ts'
import { type DocumentFile, saveDocument } from '../../systemscripts/documents/document.ts'
import { escapeHtml, htmlTable } from '../../systemscripts/documents/html-table.ts'
import { jsonDocument } from '../../systemscripts/documents/json-document.ts'
import { pdfDocument } from '../../systemscripts/documents/pdf-document.ts'
import { plainTable } from '../../systemscripts/documents/plain-table.ts'
import { grouped, type RowSource } from '../../systemscripts/documents/row-source.ts'
import { singleValue } from '../../systemscripts/documents/single-value.ts'
import { xlsxDocument } from '../../systemscripts/documents/xlsx-document.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import type { MailFile } from '../../systemscripts/outgoing-mail/composed-mail.ts'
import { keepRows, observe } from './observe.ts'
import { isAttached, type ReportQuery } from './settings.ts'

export interface Answer {
  query: ReportQuery
  /** What stands at its place; of a file a sentence. */
  html: string
  text: string
  rows: number
  fingerprint: string
  /** Pictures within the text, or the file. */
  files: MailFile[]
  /** What the reader has to know of a file: that it is cut. */
  notes: string[]
  /** The rows, where changes are looked for. */
  compared: { columns: RowSource['columns']; rows: (readonly (string | null)[])[] } | null
}

export interface AnswerPlace {
  /** Folder for files. */
  folder: string
  fileName: string
  maxBytes: number
  signal: AbortSignal
}

/** Rows of a table whose changes are told are compared beyond those that are shown. */
const comparedAtMost = 20_000

/** How many rows of a query are to be asked for. */
export function rowsToAsk({ maxRows, changeKeys }: ReportQuery): number {
  return changeKeys.length === 0 ? maxRows : Math.max(maxRows, comparedAtMost)
}

/** @throws PermanentError `report_query_failed` naming the query, with the cause's words; JobError `report_query_failed` where another attempt may help */
export async function readAnswer(query: ReportQuery, ask: () => Promise<RowSource>, place: AnswerPlace): Promise<Answer> {
  try {
    const observed = observe(await ask())
    const shown = isAttached(query) ? await file(query, observed.source, place) : await inline(query, observed.source, place)
    return { query, compared: null, notes: [], files: [], ...shown, rows: observed.rows(), fingerprint: observed.fingerprint() }
  } catch (error) {
    place.signal.throwIfAborted()
    throw ofQuery(query, error)
  }
}

/** The error of a query says whose it is; it goes to whoever answers for the report and never into a mail to its readers. */
export function ofQuery({ queryName }: { queryName: string }, error: unknown): unknown {
  if (!(error instanceof JobError)) return error
  const Kind = error instanceof PermanentError ? PermanentError : JobError
  return new Kind('report_query_failed', `Query "${queryName}": ${error.message}`, {
    detail: [error.code === 'statement_failed' ? '' : `(${error.code})`, error.detail ?? '', 'Nothing was sent.'].filter(Boolean).join(' '),
    hint:
      error.hint ??
      (error.detail?.includes('SQLSTATE 57014')
        ? 'Make the query faster, or raise query_timeout in dba.reportconfig.'
        : /^(recipient|threshold)_query$/.test(queryName)
          ? `Correct ${queryName} in dba.reportconfig.`
          : 'Correct query_text in dba.reportquery.'),
    cause: error,
  })
}

type Shown = Pick<Answer, 'html' | 'text'> & Partial<Pick<Answer, 'files' | 'notes' | 'compared'>>

async function inline(query: ReportQuery, source: RowSource, place: AnswerPlace): Promise<Shown> {
  if (query.shownAs === 'value') {
    const { text } = await singleValue(source, query.queryName)
    return { html: escapeHtml(text), text }
  }
  if (query.shownAs !== 'table') return await chart(query, source)
  const kept = await keepRows(source, place.maxBytes)
  const html = await htmlTable(kept.again(), { maxRows: query.maxRows })
  const text = await plainTable(kept.again(), { maxRows: query.maxRows })
  const compared = query.changeKeys.length === 0 ? null : { columns: source.columns, rows: [...kept.rows] }
  const { title } = query
  const heading = title === null ? { html: '', text: '' } : { html: headingHtml(title), text: `${title}\n\n` }
  return { html: heading.html + html.text, text: `\n${heading.text}${text.text}\n`, compared }
}

export function headingHtml(title: string): string {
  return `<h3 style="font-family:Arial,Helvetica,sans-serif;font-size:15px;margin:14px 0 4px 0">${escapeHtml(title)}</h3>\n`
}

async function chart({ queryName, shownAs, title }: ReportQuery, source: RowSource): Promise<Shown> {
  const kind = shownAs === 'line_chart' ? 'line' : shownAs === 'bar_chart' ? 'bar' : 'sparkline'
  const { png, alt, width, height } = await drawChart(source, kind, { name: queryName, ...(title === null ? {} : { title }) })
  const contentId = `${queryName}@rota`
  const style = kind === 'sparkline' ? 'vertical-align:middle' : 'display:block;max-width:100%'
  const html = `<img src="cid:${contentId}" width="${width}" height="${height}" alt="${escapeHtml(alt)}" style="${style}">`
  const picture = { fileName: `${queryName}.png`, content: Buffer.from(png), contentId, contentType: 'image/png' }
  return { html, text: `\n${alt}\n\n`, files: [picture] }
}

async function file(query: ReportQuery, source: RowSource, { folder, fileName, maxBytes, signal }: AnswerPlace): Promise<Shown> {
  const path = join(folder, fileName)
  const { rows, notes } = await saveDocument(documentOf(query, source), path, { maxBytes, signal })
  const words = `${fileName} (${[`${grouped(rows)} ${rows === 1 ? 'row' : 'rows'}`, ...notes].join('; ')})`
  return {
    html: escapeHtml(words),
    text: words,
    files: [{ fileName, content: { path } }],
    notes: notes.map((note) => `${fileName}: ${note}`),
  }
}

function documentOf({ shownAs, title, queryName }: ReportQuery, source: RowSource): DocumentFile {
  const name = title ?? queryName
  if (shownAs === 'csv') return csvDocument(source)
  if (shownAs === 'json') return jsonDocument(source)
  return shownAs === 'pdf' ? pdfDocument(source, { title: name }) : xlsxDocument(source, { name })
}

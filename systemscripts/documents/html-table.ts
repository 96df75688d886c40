import { cutSentence, type Row, type RowCount, type RowSource, rowCount } from './row-source.ts'
import { shownHeader, shownValue } from './shown-value.ts'
import { standsRight, type ValueKind, valueKind } from './value-kind.ts'

export interface TableOptions {
  /** Rows at most; those beyond are counted and said. Default 500. */
  maxRows?: number
}

/** A table that stands in a mail. */
export interface ShownTable extends RowCount {
  /** HTML or plain text; the sentence below it when rows are missing. */
  text: string
  /** `first 500 of 48,211 rows`; null when all are shown. */
  cut: string | null
}

/**
 * A table of HTML for the body of a mail: every style stands at its element, since mail programs pass over style sheets; values are escaped, so markup
 * in them is shown and not obeyed; numbers stand at the right; null is empty. Colours are those of the mail, and lines are of a grey that shows on
 * white and on black, so that it reads in light and in dark mode. No rows: the header and "no rows".
 *
 * Texts beyond 1,000 characters end in "…". All rows of the source are walked, to count them.
 */
export async function htmlTable(source: RowSource, { maxRows = 500 }: TableOptions = {}): Promise<ShownTable> {
  const kinds = source.columns.map(({ typeOid }) => valueKind(typeOid))
  let rows = ''
  let shown = 0
  let given = 0
  for await (const batch of source.rows) {
    given += batch.length
    for (const row of batch.slice(0, maxRows - shown)) {
      rows += tableRow(row, kinds)
      shown += 1
    }
  }
  const count = rowCount(source, shown, given)
  const cut = cutSentence(count)
  const below = cut ?? (count.all === 0 ? 'no rows' : null)
  return { ...count, text: `${table(source, kinds, rows)}${below === null ? '' : `<p style="${BELOW}">${below}</p>`}`, cut }
}

/** As HTML shows it: markup, quotes, line ends. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPED[character] ?? character)
}

const ESCAPED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const LONGEST_TEXT = 1000
const FONT = "font-family:Arial,'Helvetica Neue',Helvetica,sans-serif;font-size:13px;line-height:1.4"
const LINE = '1px solid #9ca3af'
const HEADER = `padding:5px 10px;border-bottom:2px solid #8a94a3;font-weight:bold;vertical-align:bottom`
const CELL = `padding:4px 10px;border-bottom:${LINE};vertical-align:top`
const BELOW = `margin:6px 0 14px 0;${FONT};font-style:italic`

function table({ columns, timeZone }: RowSource, kinds: readonly ValueKind[], rows: string): string {
  const header = columns.map(
    (column, at) => `<th scope="col" style="${HEADER};${alignment(kinds[at])}">${cellText(shownHeader(column, timeZone))}</th>`,
  )
  return `<table cellpadding="0" cellspacing="0" style="border-collapse:collapse;margin:8px 0;${FONT}">\
<thead><tr>${header.join('')}</tr></thead><tbody>${rows}</tbody></table>`
}

function tableRow(row: Row, kinds: readonly ValueKind[]): string {
  const cells = kinds.map((kind, at) => `<td style="${CELL};${alignment(kind)}">${cellText(shownValue(row[at] ?? null, kind))}</td>`)
  return `<tr>${cells.join('')}</tr>\n`
}

function alignment(kind: ValueKind | undefined): string {
  if (kind !== undefined && standsRight(kind)) return 'text-align:right;white-space:nowrap'
  return kind === 'text' || kind === 'json' ? 'text-align:left' : 'text-align:left;white-space:nowrap'
}

function cellText(text: string): string {
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT).replace(/[\uD800-\uDBFF]$/, '')}…` : text
  return escapeHtml(short).replace(/\r\n?|\n/g, '<br>')
}

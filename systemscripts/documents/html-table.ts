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
 * A table of HTML for the body of a mail: styles stand at the elements, since mail programs pass over style sheets; values are escaped, so markup
 * in them is shown and not obeyed; numbers stand at the right; null is empty. Colours are those of the mail, and lines are of a grey that shows on
 * white and on black, so that it reads in light and in dark mode. Numbers have the digits that Postgres wrote. No rows: the header and "no rows".
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
/** Needs room where columns without breaks would take it all. */
const LONG_TEXT = 24
const FONT = "font-family:Arial,'Helvetica Neue',Helvetica,sans-serif;font-size:13px;line-height:1.4"
const TABLE = `border-collapse:collapse;margin:8px 0;color:inherit;${FONT}`
const HEADER_LINE = 'border-bottom:2px solid #8a94a3'
const ROW_LINE = 'border-bottom:1px solid #9ca3af'
const BELOW = `margin:6px 0 14px 0;${FONT};font-style:italic`

/** What all cells share stands at the table and at the row: Gmail shows no more than 102 KB of a mail. */
function table({ columns, timeZone }: RowSource, kinds: readonly ValueKind[], rows: string): string {
  const header = columns.map(
    (column, at) => `<th scope="col" align="${alignment(kinds[at])}">${cellText(shownHeader(column, timeZone))}</th>`,
  )
  return `<table border="0" cellpadding="5" cellspacing="0" style="${TABLE}">\
<thead><tr valign="bottom" style="${HEADER_LINE}">${header.join('')}</tr></thead><tbody>${rows}</tbody></table>`
}

function tableRow(row: Row, kinds: readonly ValueKind[]): string {
  const cells = kinds.map((kind, at) => {
    const text = shownValue(row[at] ?? null, kind)
    return `<td${cellAttributes(kind, text)}>${cellText(text)}</td>`
  })
  return `<tr valign="top" style="${ROW_LINE}">${cells.join('')}</tr>\n`
}

function cellAttributes(kind: ValueKind, text: string): string {
  if (text === '') return ''
  if (standsRight(kind)) return ' align="right" nowrap'
  if (kind !== 'text' && kind !== 'json') return ' nowrap'
  return text.length > LONG_TEXT ? ' style="min-width:160px"' : ''
}

function alignment(kind: ValueKind | undefined): 'left' | 'right' {
  return kind !== undefined && standsRight(kind) ? 'right' : 'left'
}

function cellText(text: string): string {
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT).replace(/[\uD800-\uDBFF]$/, '')}…` : text
  return escapeHtml(short).replace(/\r\n?|\n/g, '<br>')
}

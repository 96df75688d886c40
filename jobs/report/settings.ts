import { rowReader } from '../../src/job/read-row.ts'

/** A row of dba.reportconfig with its queries and recipients, args laid over it. */
export interface ReportSettings {
  configName: string
  description: string | null
  owner: string | null
  connectionName: string | null
  timeZone: string
  sender: string | null
  replyTo: string | null
  subject: string
  to: string[]
  cc: string[]
  bcc: string[]
  recipientQuery: string | null
  bodyHtml: string | null
  bodyText: string | null
  skipIfEmpty: boolean
  onlyIfChanged: boolean
  thresholdQuery: string | null
  /** It names data that must be fresh. */
  hasFreshness: boolean
  whenStale: 'hold' | 'banner' | 'note'
  showFindings: boolean
  maxRowsInline: number
  maxBytes: number
  queryConnection: string | null
  queryTimeoutSeconds: number
  /** In lower case; null: any. */
  allowedDomains: string[] | null
  whenUnknown: 'hold' | 'resend' | 'assume_sent'
  /** In their order. */
  queries: ReportQuery[]
  /** It is rendered and sent to nobody. */
  isPreview: boolean
  /** Who gets it, marked as a test, in place of its recipients. */
  testTo: string[] | null
}

export type ShownAs = (typeof shownAs)[number]

export interface ReportQuery {
  queryName: string
  text: string
  shownAs: ShownAs
  title: string | null
  fileName: string | null
  maxRows: number
  changeKeys: string[]
}

const shownAs = ['table', 'value', 'line_chart', 'bar_chart', 'sparkline', 'csv', 'xlsx', 'json', 'pdf'] as const

/** Rows of an answer where the query says nothing. */
const usualRows = { chart: 5_000, pdf: 5_000, file: 1_000_000 }

/** @throws PermanentError `setting_invalid` */
export function readReport(row: Record<string, unknown>): ReportSettings {
  const read = rowReader(row, 'dba.reportconfig')
  const maxRowsInline = read.number('max_rows_inline')
  const testTo = (row.test_to ?? null) === null ? null : read.texts('test_to')
  const more = (kind: string) =>
    read
      .rows('reportrecipient')
      .filter((recipient) => recipient.flag('is_active') && recipient.text('kind') === kind)
      .map((recipient) => recipient.text('address'))
  return {
    configName: read.text('config_name'),
    description: read.textOrNull('description'),
    owner: read.textOrNull('owner'),
    connectionName: read.textOrNull('connection_name'),
    timeZone: read.text('time_zone'),
    sender: read.textOrNull('sender'),
    replyTo: read.textOrNull('reply_to'),
    subject: read.text('subject'),
    to: [...read.texts('to_addresses'), ...more('to')],
    cc: [...read.texts('cc'), ...more('cc')],
    bcc: [...read.texts('bcc'), ...more('bcc')],
    recipientQuery: read.textOrNull('recipient_query'),
    bodyHtml: read.textOrNull('body_html'),
    bodyText: read.textOrNull('body_text'),
    skipIfEmpty: read.flag('skip_if_empty'),
    onlyIfChanged: read.flag('only_if_changed'),
    thresholdQuery: read.textOrNull('threshold_query'),
    hasFreshness: read.texts('fresh_datasets').length + read.texts('fresh_schedules').length > 0,
    whenStale: read.word('when_stale', ['hold', 'banner', 'note']),
    showFindings: read.flag('show_findings'),
    maxRowsInline,
    maxBytes: read.number('max_bytes'),
    queryConnection: read.textOrNull('query_connection'),
    queryTimeoutSeconds: read.seconds('query_timeout'),
    allowedDomains: (row.allowed_domains ?? null) === null ? null : read.texts('allowed_domains').map((domain) => domain.toLowerCase()),
    whenUnknown: read.word('when_unknown', ['hold', 'resend', 'assume_sent']),
    queries: read
      .rows('reportquery')
      .map((query) => ({ position: query.numberOrNull('position'), query: readQuery(query, maxRowsInline) }))
      .sort((a, b) => (a.position ?? Infinity) - (b.position ?? Infinity) || (a.query.queryName < b.query.queryName ? -1 : 1))
      .map(({ query }) => query),
    isPreview: read.flag('preview'),
    testTo,
  }
}

function readQuery(read: ReturnType<typeof rowReader>, maxRowsInline: number): ReportQuery {
  const kind = read.word('shown_as', shownAs)
  return {
    queryName: read.text('query_name'),
    text: read.text('query_text'),
    shownAs: kind,
    title: read.textOrNull('title'),
    fileName: read.textOrNull('file_name'),
    maxRows: read.numberOrNull('max_rows') ?? usualRowsOf(kind, maxRowsInline),
    changeKeys: read.texts('change_keys'),
  }
}

function usualRowsOf(kind: ShownAs, inline: number): number {
  if (kind === 'table') return inline
  // A second row is what tells that it is no single value.
  if (kind === 'value') return 2
  if (kind === 'pdf') return usualRows.pdf
  return kind === 'csv' || kind === 'xlsx' || kind === 'json' ? usualRows.file : usualRows.chart
}

/** Rendered for somebody to look at: no condition holds it, and nothing is remembered of it. */
export function isTry({ isPreview, testTo }: ReportSettings): boolean {
  return isPreview || testTo !== null
}

/** Whether it is a file rather than a part of the text. */
export function isAttached({ shownAs }: ReportQuery): boolean {
  return shownAs === 'csv' || shownAs === 'xlsx' || shownAs === 'json' || shownAs === 'pdf'
}

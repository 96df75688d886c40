import { settingsReader } from '../../src/job/settings-reader.ts'
import type { ColumnSetting } from '../../systemscripts/table-loader/column-settings.ts'
import type { DriftPolicy } from '../../systemscripts/table-loader/drift.ts'
import type { LoadMode } from '../../systemscripts/table-loader/load.ts'

/** A row of dba.scrapeconfig, args laid over it. */
export interface ScrapeSettings {
  configName: string
  startUrl: string
  idsFrom: 'none' | 'range' | 'list' | 'query' | 'frontier'
  idsSpec: string
  followSelector: string | null
  followPattern: string | null
  maxDepth: number
  sameHost: boolean
  nextSelector: string | null
  /** Null: no limit. */
  maxPages: number | null
  rowSelector: string | null
  skipStates: string[]
  fields: ScrapeField[]
  /** Null: only files are downloaded. */
  targetTable: string | null
  policy: DriftPolicy
  mode: LoadMode
  keyColumns: string[]
  onDuplicateKey: 'fail' | 'last' | 'first'
  datasource: string
  datasettype: string
  label: string
  datasetColumn: string
  sourceZone: string
  maxRejects: number | null
  maxRejectPercent: number | null
  fileSelector: string | null
  fileUrl: string | null
  fileConfig: string | null
  fileName: string
  /** Empty: pages of any state. */
  fileStates: string[]
  render: 'none' | 'browser'
  waitSelector: string | null
  clickSelector: string | null
  keepPages: 'none' | 'broken' | 'all'
  allowPrivateHosts: boolean
  connectionName: string | null
  pageSeconds: number
  maxPageBytes: number
  maxFileBytes: number
  maxFailedPercent: number
  /** Null: the numbers are not looked at. */
  lowBandPercent: number | null
  archiveFolder: string
  failedFolder: string
  /** Stored pages are read again, nothing is fetched. */
  isReplay: boolean
}

/** A row of dba.scrapefield. */
export interface ScrapeField {
  columnName: string
  headers: string[]
  selector: string | null
  attribute: string | null
  pattern: string | null
  isPageText: boolean
  isCount: boolean
  skipWhen: string | null
  /** Of a rule that says what state a page is in. */
  stateWord: string | null
  statusCodes: number[]
  column: ColumnSetting
}

/** @throws PermanentError `setting_invalid` */
export function readSettings(row: Record<string, unknown>): ScrapeSettings {
  const read = settingsReader(row, 'dba.scrapeconfig')
  const configName = read.text('config_name')
  return {
    configName,
    startUrl: read.text('start_url'),
    idsFrom: read.word('ids_from', ['none', 'range', 'list', 'query', 'frontier']),
    idsSpec: read.textOrNull('ids_spec') ?? '',
    followSelector: read.textOrNull('follow_selector'),
    followPattern: read.textOrNull('follow_pattern'),
    maxDepth: read.number('max_depth'),
    sameHost: read.flag('same_host'),
    nextSelector: read.textOrNull('next_selector'),
    maxPages: read.numberOrNull('max_pages'),
    rowSelector: read.textOrNull('row_selector'),
    skipStates: read.texts('skip_states'),
    fields: inOrder(read.rows('scrapefield')).map(fieldOf),
    targetTable: read.textOrNull('target_table'),
    policy: {
      onNewColumn: read.word('on_new_column', ['add', 'ignore', 'fail', 'extra', 'propose']),
      onMissingColumn: read.word('on_missing_column', ['null', 'fail']),
    },
    mode: read.word('load_mode', ['append', 'replace', 'replace_dataset', 'upsert', 'append_new']),
    keyColumns: read.texts('key_columns'),
    onDuplicateKey: read.word('on_duplicate_key', ['fail', 'last', 'first']),
    datasource: read.textOrNull('datasource') ?? configName,
    datasettype: read.text('datasettype'),
    label: read.textOrNull('label') ?? configName,
    datasetColumn: read.text('dataset_column'),
    sourceZone: read.text('source_zone'),
    maxRejects: read.numberOrNull('max_rejects'),
    maxRejectPercent: read.numberOrNull('max_reject_percent'),
    fileSelector: read.textOrNull('file_selector'),
    fileUrl: read.textOrNull('file_url'),
    fileConfig: read.textOrNull('file_config'),
    fileName: read.textOrNull('file_name') ?? '{timestamp}_{id}_{name}',
    fileStates: read.texts('file_states'),
    render: read.word('render', ['none', 'browser']),
    waitSelector: read.textOrNull('wait_selector'),
    clickSelector: read.textOrNull('click_selector'),
    keepPages: read.word('keep_pages', ['none', 'broken', 'all']),
    allowPrivateHosts: read.flag('allow_private_hosts'),
    connectionName: read.textOrNull('connection_name'),
    pageSeconds: read.seconds('page_timeout'),
    maxPageBytes: read.number('max_page_bytes'),
    maxFileBytes: read.number('max_file_bytes'),
    maxFailedPercent: read.number('max_failed_percent'),
    lowBandPercent: read.numberOrNull('low_band_percent'),
    archiveFolder: read.textOrNull('archive_folder') ?? `archive/${configName}`,
    failedFolder: read.textOrNull('failed_folder') ?? `failed/${configName}`,
    isReplay: read.flag('replay'),
  }
}

function fieldOf(row: Record<string, unknown>): ScrapeField {
  const read = settingsReader(row, 'dba.scrapefield')
  const columnName = read.text('column_name')
  return {
    columnName,
    headers: read.texts('headers'),
    selector: read.textOrNull('selector'),
    attribute: read.textOrNull('attribute'),
    pattern: read.textOrNull('pattern'),
    isPageText: read.flag('page_text'),
    isCount: read.flag('is_count'),
    skipWhen: read.textOrNull('skip_when'),
    stateWord: read.textOrNull('state_word'),
    statusCodes: (Array.isArray(row.status_codes) ? row.status_codes : []).map(Number),
    column: {
      columnName,
      sourceName: columnName,
      type: read.text('type'),
      format: read.textOrNull('format'),
      isRequired: read.flag('is_required'),
      defaultValue: read.textOrNull('default_value'),
      nullTokens: read.texts('null_tokens'),
      transform: read.textOrNull('transform'),
    },
  }
}

/** Numbered ones first, then by name, as the database compares them. */
function inOrder(rows: Record<string, unknown>[]): Record<string, unknown>[] {
  const rank = (row: Record<string, unknown>): number => (typeof row.position === 'number' ? row.position : Number.POSITIVE_INFINITY)
  const name = (row: Record<string, unknown>): string => String(row.column_name)
  return rows.toSorted((a, b) => (rank(a) === rank(b) ? Number(name(a) > name(b)) - Number(name(a) < name(b)) : rank(a) - rank(b)))
}

import type { LoadSettings } from '../../src/job/load-rows.ts'
import { type RowReader, rowReader } from '../../src/job/read-row.ts'
import type { ColumnSetting } from '../../systemscripts/table-loader/column-settings.ts'
import { fillAddress } from '../../systemscripts/web/ids/fill-template.ts'
import { type PageFacts, pageFacts } from './own-fields.ts'
import { fileNameOf, labelOf } from './templates.ts'

/** A row of dba.scrapeconfig with its rows of dba.scrapefield, args laid over it. */
export interface ScrapeSettings extends LoadSettings {
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
  /** Null: what is not there is told by status and skipStates. */
  missStates: string[] | null
  fields: ScrapeField[]
  label: string
  fileSelector: string | null
  filePattern: string | null
  fileUrl: string | null
  fileConfig: string | null
  fileName: string
  /** Empty: pages of any state. */
  fileStates: string[]
  /** Files that did not change are put into the folder as well. */
  savesUnchanged: boolean
  render: 'none' | 'browser'
  waitSelector: string | null
  clickSelector: string | null
  keepPages: 'none' | 'broken' | 'all'
  replayDays: number
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
  /** Kept pages are read again, nothing is fetched. */
  isReplay: boolean
  /** Kept files are loaded again, nothing is fetched. */
  isForRetries: boolean
}

/** A row of dba.scrapefield. */
export interface ScrapeField {
  columnName: string
  headers: string[]
  selector: string | null
  attribute: string | null
  pattern: string | null
  isPageText: boolean
  /** What Rota knows of the page by itself. */
  pageFact: keyof PageFacts | null
  isCount: boolean
  skipWhen: string | null
  /** Of a rule that says what state a page is in. */
  stateWord: string | null
  statusCodes: number[]
}

/** @throws PermanentError `setting_invalid`, `place_unknown` */
export function readSettings(row: Record<string, unknown>): ScrapeSettings {
  const settings = settingsOf(rowReader(row, 'dba.scrapeconfig'))
  const { startUrl, fileUrl } = settings
  labelOf(settings, { id: '1', url: startUrl, title: '', state: '' })
  fileNameOf(settings, '1', 'file')
  for (const address of [startUrl, fileUrl]) if (address !== null) fillAddress(address, { id: '1' })
  return settings
}

function settingsOf(read: RowReader): ScrapeSettings {
  const configName = read.text('config_name')
  const fields = inOrder(read.rows('scrapefield'))
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
    missStates: read.textsOrNull('miss_states'),
    fields: fields.map(fieldOf),
    label: read.textOrNull('label') ?? configName,
    fileSelector: read.textOrNull('file_selector'),
    filePattern: read.textOrNull('file_pattern'),
    fileUrl: read.textOrNull('file_url'),
    fileConfig: read.textOrNull('file_config'),
    fileName: read.textOrNull('file_name') ?? '{timestamp}_{id}_{name}',
    fileStates: read.texts('file_states'),
    savesUnchanged: read.flag('save_unchanged'),
    render: read.word('render', ['none', 'browser']),
    waitSelector: read.textOrNull('wait_selector'),
    clickSelector: read.textOrNull('click_selector'),
    keepPages: read.word('keep_pages', ['none', 'broken', 'all']),
    replayDays: read.number('replay_days'),
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
    isForRetries: read.flag('only_retries'),
    ...loadSettingsOf(read, configName),
    rules: { columns: fields.filter((field) => field.textOrNull('state_word') === null).map(columnOf), checks: [] },
  }
}

function loadSettingsOf(read: RowReader, configName: string): Omit<LoadSettings, 'rules'> {
  return {
    nameRule: 'readable',
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
    datasetColumn: read.text('dataset_column'),
    sourceZone: read.text('source_zone'),
    maxRejects: read.numberOrNull('max_rejects'),
    maxRejectPercent: read.numberOrNull('max_reject_percent'),
    emptyWhen: null,
  }
}

function fieldOf(read: RowReader): ScrapeField {
  return {
    columnName: read.text('column_name'),
    headers: read.texts('headers'),
    selector: read.textOrNull('selector'),
    attribute: read.textOrNull('attribute'),
    pattern: read.textOrNull('pattern'),
    isPageText: read.flag('page_text'),
    pageFact: read.wordOrNull('page_fact', pageFacts),
    isCount: read.flag('is_count'),
    skipWhen: read.textOrNull('skip_when'),
    stateWord: read.textOrNull('state_word'),
    statusCodes: read.numbers('status_codes'),
  }
}

function columnOf(read: RowReader): ColumnSetting {
  const columnName = read.text('column_name')
  return {
    columnName,
    sourceName: columnName,
    type: read.text('type'),
    format: read.textOrNull('format'),
    isRequired: read.flag('is_required'),
    defaultValue: read.textOrNull('default_value'),
    nullTokens: read.texts('null_tokens'),
    transform: read.textOrNull('transform'),
  }
}

/** Numbered ones first, then by name. */
function inOrder(fields: RowReader[]): RowReader[] {
  const rank = (field: RowReader): number => field.numberOrNull('position') ?? Number.POSITIVE_INFINITY
  const name = (field: RowReader): string => field.text('column_name')
  return fields.toSorted((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b)
    return name(a) < name(b) ? -1 : Number(name(a) > name(b))
  })
}

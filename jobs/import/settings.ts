import type { LoadSettings } from '../../src/job/load-rows.ts'
import { rowReader } from '../../src/job/read-row.ts'
import { checkDateFormat, readDate } from '../../systemscripts/date-format.ts'
import { nameExpression } from '../../systemscripts/name-part.ts'
import type { ReadTableOptions } from '../../systemscripts/read-table.ts'
import { refuseWrongPatterns } from '../../systemscripts/reading/patterns.ts'
import { readOriginSpec } from './origin-value.ts'
import { rulesOf } from './rules.ts'

/** A row of dba.importconfig with the rows beside it, args laid over it. */
export interface ImportSettings extends LoadSettings {
  configName: string
  sourceFolder: string
  filePattern: string
  patternKind: 'glob' | 'regex'
  recurse: boolean
  orderBy: 'name' | 'modified'
  settleSeconds: number
  doneFile: string | null
  /** The one file that this run is for; null: all that match. */
  file: string | null
  reading: ReadTableOptions
  keepCsv: boolean
  labelFrom: 'static' | 'filename' | 'folder' | 'content' | 'mail' | 'page'
  labelSpec: string | null
  dateFrom: 'static' | 'filename' | 'content' | 'modified' | 'today' | 'mail' | 'page'
  dateSpec: string | null
  dateFormat: string
  onUnreadableDate: 'fail' | 'today'
  partDelimiter: string
  archiveFolder: string
  failedFolder: string
  /** Row of dba.dryrun that is to be answered; null: the file is to be loaded. */
  dryRunId: number | null
}

/** @throws PermanentError `setting_invalid`, `name_spec_invalid`, `date_format_invalid`, `date_not_read` for a static date */
export function readSettings(row: Record<string, unknown>): ImportSettings {
  const settings = settingsOf(row)
  const { labelFrom, labelSpec, dateFrom, dateSpec, dateFormat } = settings
  checkSpec(labelFrom, labelSpec)
  checkSpec(dateFrom, dateSpec)
  checkDateFormat(dateFormat)
  if (dateFrom === 'static') readDate(dateSpec ?? '', dateFormat)
  refuseWrongPatterns(settings.reading)
  return settings
}

function checkSpec(from: ImportSettings['labelFrom' | 'dateFrom'], spec: string | null): void {
  if (spec === null) return
  if (from === 'filename' || from === 'folder') nameExpression(spec)
  if (from === 'mail' || from === 'page') readOriginSpec(spec)
}

function settingsOf(row: Record<string, unknown>): ImportSettings {
  const read = rowReader(row, 'dba.importconfig')
  const configName = read.text('config_name')
  return {
    configName,
    sourceFolder: read.text('source_folder'),
    filePattern: read.text('file_pattern'),
    patternKind: read.word('pattern_kind', ['glob', 'regex']),
    recurse: read.flag('recurse'),
    orderBy: read.word('order_by', ['name', 'modified']),
    settleSeconds: read.seconds('settle'),
    doneFile: read.textOrNull('done_file'),
    file: read.textOrNull('file'),
    reading: {
      kind: read.word('file_kind', ['auto', 'csv', 'xlsx', 'xlsb', 'xls', 'ods', 'html', 'xml', 'json']),
      sheet: sheetOf(read.textOrNull('sheet')),
      memberPattern: read.textOrNull('member_pattern'),
      cellRange: read.textOrNull('cell_range'),
      headerRow: read.numberOrNull('header_row'),
      headerRows: read.numberOrNull('header_rows') ?? 1,
      endsWhen: read.textOrNull('ends_when'),
      skipHidden: read.flag('skip_hidden'),
      delimiter: read.textOrNull('delimiter') === '\\t' ? '\t' : read.textOrNull('delimiter'),
      quote: read.textOrNull('quote'),
      encoding: read.textOrNull('encoding'),
    },
    nameRule: read.word('name_rule', ['legacy', 'readable']),
    targetTable: read.textOrNull('target_table'),
    keepCsv: read.flag('keep_csv'),
    policy: {
      onNewColumn: read.word('on_new_column', ['add', 'ignore', 'fail', 'extra', 'propose']),
      onMissingColumn: read.word('on_missing_column', ['null', 'fail']),
    },
    mode: read.word('load_mode', ['append', 'replace', 'replace_dataset', 'upsert', 'append_new']),
    keyColumns: read.texts('key_columns'),
    onDuplicateKey: read.word('on_duplicate_key', ['fail', 'last', 'first']),
    maxRejects: read.numberOrNull('max_rejects'),
    maxRejectPercent: read.numberOrNull('max_reject_percent'),
    datasource: read.textOrNull('datasource') ?? configName,
    datasettype: read.text('datasettype'),
    labelFrom: read.word('label_from', ['static', 'filename', 'folder', 'content', 'mail', 'page']),
    labelSpec: read.textOrNull('label_spec'),
    dateFrom: read.word('date_from', ['static', 'filename', 'content', 'modified', 'today', 'mail', 'page']),
    dateSpec: read.textOrNull('date_spec'),
    dateFormat: read.text('date_format'),
    onUnreadableDate: read.word('on_unreadable_date', ['fail', 'today']),
    partDelimiter: read.text('part_delimiter'),
    sourceZone: read.text('source_zone'),
    emptyWhen: expressionOrNull(read.textOrNull('empty_when')),
    datasetColumn: read.text('dataset_column'),
    archiveFolder: read.textOrNull('archive_folder') ?? `archive/${configName}`,
    failedFolder: read.textOrNull('failed_folder') ?? `failed/${configName}`,
    rules: rulesOf(read),
    dryRunId: read.flag('dry_run') ? read.numberOrNull('dryrun_id') : null,
  }
}

function sheetOf(sheet: string | null): string | number | null {
  return sheet !== null && /^[1-9]\d*$/.test(sheet) ? Number(sheet) : sheet
}

function expressionOrNull(pattern: string | null): RegExp | null {
  return pattern === null ? null : nameExpression(pattern)
}

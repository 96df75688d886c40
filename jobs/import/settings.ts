import { checkDateFormat, readDate } from '../../systemscripts/date-format.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { nameExpression } from '../../systemscripts/name-part.ts'
import type { ReadTableOptions } from '../../systemscripts/read-table.ts'
import type { DriftPolicy } from '../../systemscripts/table-loader/drift.ts'
import type { LoadMode } from '../../systemscripts/table-loader/load.ts'

/** A row of dba.importconfig, args laid over it. */
export interface ImportSettings {
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
  nameRule: 'legacy' | 'readable'
  /** Null: the file becomes a CSV and no more. */
  targetTable: string | null
  keepCsv: boolean
  policy: DriftPolicy
  mode: LoadMode
  keyColumns: string[]
  onDuplicateKey: 'fail' | 'last' | 'first'
  /** Null: no limit. */
  maxRejects: number | null
  maxRejectPercent: number | null
  datasource: string
  datasettype: string
  labelFrom: 'static' | 'filename' | 'folder' | 'content'
  labelSpec: string | null
  dateFrom: 'static' | 'filename' | 'content' | 'modified' | 'today'
  dateSpec: string | null
  dateFormat: string
  onUnreadableDate: 'fail' | 'today'
  partDelimiter: string
  sourceZone: string
  emptyWhen: RegExp | null
  datasetColumn: string
  archiveFolder: string
  failedFolder: string
  /** Row of dba.dryrun that is to be answered; null: the file is to be loaded. */
  dryRunId: number | null
}

/** @throws PermanentError `setting_invalid`, `name_spec_invalid`, `date_format_invalid`, `date_not_read` for a static date */
export function readSettings(row: Record<string, unknown>): ImportSettings {
  const settings = settingsOf(row)
  const { labelFrom, labelSpec, dateFrom, dateSpec, dateFormat } = settings
  if (labelFrom !== 'static' && labelFrom !== 'content' && labelSpec !== null) nameExpression(labelSpec)
  if (dateFrom === 'filename' && dateSpec !== null) nameExpression(dateSpec)
  checkDateFormat(dateFormat)
  if (dateFrom === 'static') readDate(dateSpec ?? '', dateFormat)
  return settings
}

function settingsOf(row: Record<string, unknown>): ImportSettings {
  const read = reader(row)
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
    labelFrom: read.word('label_from', ['static', 'filename', 'folder', 'content']),
    labelSpec: read.textOrNull('label_spec'),
    dateFrom: read.word('date_from', ['static', 'filename', 'content', 'modified', 'today']),
    dateSpec: read.textOrNull('date_spec'),
    dateFormat: read.text('date_format'),
    onUnreadableDate: read.word('on_unreadable_date', ['fail', 'today']),
    partDelimiter: read.text('part_delimiter'),
    sourceZone: read.text('source_zone'),
    emptyWhen: expressionOrNull(read.textOrNull('empty_when')),
    datasetColumn: read.text('dataset_column'),
    archiveFolder: read.textOrNull('archive_folder') ?? `archive/${configName}`,
    failedFolder: read.textOrNull('failed_folder') ?? `failed/${configName}`,
    dryRunId: read.flag('dry_run') ? read.numberOrNull('dryrun_id') : null,
  }
}

/** The table's CHECKs have judged the row and the args; this is for what came since: an older version's row, a value of the wrong type. */
function reader(row: Record<string, unknown>) {
  return { text, textOrNull, texts, flag, word, numberOrNull, seconds }

  function textOrNull(column: string): string | null {
    const value = row[column] ?? null
    if (value === null || typeof value === 'string') return value
    if (typeof value === 'number') return String(value)
    throw settingInvalid(column, value, 'text')
  }

  function text(column: string): string {
    return textOrNull(column) ?? refuse(column, 'text')
  }

  function flag(column: string): boolean {
    const value = row[column]
    return typeof value === 'boolean' ? value : /^(t|true|on|yes|1)$/i.test(String(value))
  }

  function word<Word extends string>(column: string, words: readonly Word[]): Word {
    return words.find((known) => known === row[column]) ?? refuse(column, words.join(', '))
  }

  function texts(column: string): string[] {
    const value = row[column] ?? []
    if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value
    throw settingInvalid(column, value, 'a list of texts')
  }

  function numberOrNull(column: string): number | null {
    const value = textOrNull(column)
    if (value === null) return null
    return Number.isFinite(Number(value)) ? Number(value) : refuse(column, 'a number')
  }

  function seconds(column: string): number {
    return intervalSeconds(text(column)) ?? refuse(column, "an interval such as '10 seconds'")
  }

  function refuse(column: string, wanted: string): never {
    throw settingInvalid(column, row[column], wanted)
  }
}

/** `00:00:02`, as Postgres writes an interval below a day, or as a person does: `10 seconds`, `1 minute 30 s`. */
function intervalSeconds(text: string): number | null {
  const clock = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text)
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])
  const factors: Record<string, number> = { s: 1, m: 60, h: 3600 }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?)\b/gi)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.replace(/^\s+|(?<=[a-z])\s+|\s+$/gi, '')) return null
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (factors[unit?.[0]?.toLowerCase() ?? ''] ?? 0), 0)
}

function sheetOf(sheet: string | null): string | number | null {
  return sheet !== null && /^[1-9]\d*$/.test(sheet) ? Number(sheet) : sheet
}

function expressionOrNull(pattern: string | null): RegExp | null {
  return pattern === null ? null : nameExpression(pattern)
}

function settingInvalid(column: string, value: unknown, wanted: string): PermanentError {
  return new PermanentError('setting_invalid', `${column} of dba.importconfig is ${JSON.stringify(value ?? null)}`, {
    hint: `Write ${wanted}, in the row or in the args of the schedule.`,
  })
}

import { columnNames, type NameRule } from '../column-names.ts'
import type { ColumnRule } from '../copy-plan.ts'
import { PermanentError } from '../errors.ts'
import { compileSafely } from '../values/safe-pattern.ts'
import { createConversion } from '../values.ts'
import { nameList } from './refusals.ts'
import { isPlainText, type TargetColumn } from './target.ts'

/** What a person wrote about one column. */
export interface ColumnSetting {
  /** Its name in the target. */
  columnName: string
  /** The header it comes from, or `/pattern/`; null: the one that is named so by the name rule. */
  sourceName: string | null
  /** As format_type writes it. `text` says nothing: then the target's type counts. */
  type: string
  format: string | null
  isRequired: boolean
  defaultValue: string | null
  nullTokens: string[]
  transform: string | null
}

/** A value of a row and the column it is for; the same value may be for several. */
export interface FileColumn {
  index: number
  /** As shown in the file. */
  header: string
  column: string
  setting: ColumnSetting | null
}

/**
 * Names the columns of a file: what is written of a header counts, all others follow the name rule and are numbered where they clash.
 *
 * @param reserved names that no column of a file may take
 * @returns in the file's order
 */
export function nameColumns(headers: string[], settings: ColumnSetting[], nameRule: NameRule, reserved: string[]): FileColumn[] {
  const byRule = columnNames(headers, nameRule)
  const settled = headers.map((): ColumnSetting[] => [])
  for (const setting of settings) settled[sourceIndex(setting, headers, byRule)]?.push(setting)
  const taken = new Set([...reserved, ...settings.map(({ columnName }) => columnName)])
  return headers.flatMap((header, index): FileColumn[] => {
    const own = settled[index] ?? []
    if (own.length > 0) return own.map((setting) => ({ index, header, column: setting.columnName, setting }))
    return [{ index, header, column: freeName(byRule[index] ?? `column_${index + 1}`, taken, byRule), setting: null }]
  })
}

/** Settings whose column the file does not have. */
export function absentSettings(settings: ColumnSetting[], columns: FileColumn[]): ColumnSetting[] {
  const found = new Set(columns.map(({ column }) => column))
  return settings.filter(({ columnName }) => !found.has(columnName))
}

/** @throws PermanentError `required_column_missing` */
export function requireSettled(settings: ColumnSetting[], columns: FileColumn[], fileName: string): void {
  const missing = absentSettings(settings, columns).filter(({ isRequired, defaultValue }) => isRequired && defaultValue === null)
  if (missing.length === 0) return
  throw new PermanentError('required_column_missing', `File "${fileName}" lacks ${nameList(missing.map(shownSource))}`, {
    detail: `It has ${nameList(columns.map(({ header }) => header))}.`,
    hint: 'Ask the sender for it, correct source_name, or set is_required to false in dba.importcolumn.',
  })
}

/**
 * What a value must be before it goes to a column. The target's type counts; where the target takes any text, the type that was written.
 * @returns null where every text passes as it is
 */
export function columnRule(
  column: string,
  setting: ColumnSetting | null,
  target: TargetColumn | null,
  sourceZone: string,
): ColumnRule | null {
  const targetType = target?.type ?? 'text'
  const type = isPlainText(targetType) ? (setting?.type ?? targetType) : targetType
  const isRequired = setting?.isRequired === true || target?.isNotNull === true
  if (setting === null && isPlainText(type) && !isRequired) return null
  return {
    column,
    type,
    format: setting?.format ?? null,
    isRequired,
    defaultValue: setting?.defaultValue ?? null,
    nullTokens: setting?.nullTokens ?? [],
    transform: setting?.transform ?? null,
    sourceZone,
  }
}

/** What can be said of settings without a file. @throws PermanentError those of createConversion, `source_name_invalid` */
export function requireReadable(settings: ColumnSetting[], sourceZone: string): void {
  for (const setting of settings) {
    const rule = columnRule(setting.columnName, setting, null, sourceZone)
    if (rule !== null) createConversion(rule)
    if (setting.sourceName !== null) headerIndex(setting.sourceName, [])
  }
}

/** By its source, else by its own name. @returns -1 when there is none */
function sourceIndex({ sourceName, columnName }: ColumnSetting, headers: string[], byRule: string[]): number {
  const index = sourceName === null ? -1 : headerIndex(sourceName, headers)
  return index === -1 ? byRule.indexOf(columnName) : index
}

/** Exact, then without blanks around; a pattern takes the first header that it finds. */
function headerIndex(sourceName: string, headers: string[]): number {
  const pattern = /^\/(.+)\/$/s.exec(sourceName)?.[1]
  if (pattern !== undefined) {
    const { expression, longestText } = compileSafely(pattern, '', (why) => sourceInvalid(sourceName, why))
    return headers.findIndex((header) => expression.test(header.slice(0, longestText)))
  }
  const exact = headers.indexOf(sourceName)
  return exact === -1 ? headers.findIndex((header) => header.trim() === sourceName.trim()) : exact
}

function sourceInvalid(sourceName: string, why: string): PermanentError {
  return new PermanentError('source_name_invalid', `source_name "${sourceName}" is no regular expression that can be used`, {
    detail: why,
    hint: 'Correct source_name in dba.importcolumn: the header as it stands in the file, or a pattern such as /^Price/.',
  })
}

function freeName(name: string, taken: Set<string>, others: string[]): string {
  if (!taken.has(name)) return name
  let number = 2
  while (taken.has(`${name}_${number}`) || others.includes(`${name}_${number}`)) number += 1
  taken.add(`${name}_${number}`)
  return `${name}_${number}`
}

function shownSource({ sourceName, columnName }: ColumnSetting): string {
  return sourceName ?? columnName
}

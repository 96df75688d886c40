/** Which columns of a target a file can fill, and which it must. */
import { escapeIdentifier } from 'pg'
import { PermanentError } from '../errors.ts'
import type { TablesLoad } from './load.ts'
import { nameList, TargetError } from './refusals.ts'
import { quoted, type TargetTable } from './target.ts'

/**
 * @param reserved names that no column of a file may take
 * @throws PermanentError `column_not_fillable` when a setting names one of them
 */
export function requireFillable({ columns, target }: TablesLoad, reserved: string[]): void {
  const wrong = columns.filter(({ columnName }) => reserved.includes(columnName)).map(({ columnName }) => columnName)
  if (wrong.length === 0) return
  throw new PermanentError('column_not_fillable', `Column ${nameList(wrong)} of "${target}" cannot be filled from a file`, {
    detail: 'Rota or Postgres fills it: a number of the row, the number of the dataset, a generated column.',
    hint: 'Give it another column_name in dba.importcolumn.',
  })
}

/** Types of Postgres's own catalogs, which cut what is too long for them without a word; in arrays too. */
const CUTTING = /^(name|"char")(\[\])*$/

/**
 * @param given columns that are filled from files
 * @throws TargetError `column_cuts_values`
 */
export function requireWhole({ name, all }: TargetTable, given: Set<string>): void {
  const cutting = all.find((column) => given.has(column.name) && CUTTING.test(column.type))
  if (cutting === undefined) return
  const column = escapeIdentifier(cutting.name)
  const type = cutting.type.replace(/^[^[]*/, 'text')
  throw new TargetError(
    'column_cuts_values',
    `Column "${cutting.name}" of "${name.schema}.${name.table}" is of type ${cutting.type}, which cuts values that are too long for it`,
    {
      hint: `alter table ${quoted(name)} alter column ${column} type ${type} using ${column}::${type};`,
    },
  )
}

/**
 * Each row would be refused by itself otherwise. An upsert may only meet rows that are there, and a trigger may fill what is missing.
 *
 * @param given columns that the file or a default fills
 * @throws PermanentError `required_column_missing`
 */
export function requireGiven({ mode, fileName, target: shown }: TablesLoad, target: TargetTable, given: Set<string>): void {
  if (mode === 'upsert' || target.hasRowTriggers) return
  const missing = target.columns.fromFiles.filter(
    (column) => !given.has(column) && target.all.some(({ name, isNotNull }) => name === column && isNotNull),
  )
  if (missing.length === 0) return
  throw new PermanentError('required_column_missing', `File "${fileName}" lacks ${nameList(missing)}, which "${shown}" cannot be without`, {
    detail: 'In the table it is not null and has no default.',
    hint: 'Ask the sender for it, name its header in source_name or give it a default_value in dba.importcolumn, or give the column of the table a default.',
  })
}

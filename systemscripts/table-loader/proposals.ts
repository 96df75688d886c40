import { escapeIdentifier } from 'pg'
import { PermanentError } from '../errors.ts'
import type { Table } from '../table.ts'
import { inferColumn } from '../values/infer-column.ts'
import { type Course, mayLackColumns, NeedsAllColumns } from './course.ts'
import { namingColumns, type TablesLoad } from './load.ts'
import { type Meeting, splitName } from './meet.ts'
import type { Proposal } from './proposal.ts'
import { tableInWords } from './shape-target.ts'
import { quoted, type TargetTable } from './target.ts'

/** So many rows are looked at for a type. */
const ROWS_LOOKED_AT = 50_000

/**
 * The changes that a table of a file asks for, with types that its first rows all have. Walks rows, so that the table cannot be copied after.
 *
 * @param target as it is, with what the tables before have proposed
 * @throws NeedsAllColumns; those of the file's reader
 */
export async function proposalsOf(
  load: TablesLoad,
  target: TargetTable | null,
  table: Table,
  meeting: Meeting,
  course: Course,
): Promise<Proposal[]> {
  const values = await firstValues(
    table,
    meeting.proposed.map(({ index }) => index),
  ).catch((error: unknown) => {
    if (mayLackColumns(course, table) && isTooWide(error)) throw new NeedsAllColumns()
    throw error
  })
  const columns = meeting.proposed.map((one, place) => {
    if (one.setting !== null) return { ...one, reason: 'Its type is that of dba.importcolumn.', readings: [] }
    const { type, format, nullTokens, reason } = inferColumn(values[place]?.texts ?? [], values[place]?.typed)
    const reading = { columnName: one.column, sourceName: one.header, type, format, nullTokens }
    return { ...one, type, reason, readings: format === null && nullTokens.length === 0 ? [] : [reading] }
  })
  const name = splitName(load.target)
  if (target === null) {
    const added = columns.map(({ column, type }) => ({ name: column, type }))
    const ddl = tableInWords({
      name,
      target,
      added,
      widened: [],
      datasetColumn: load.datasetColumn,
      keyColumns: namingColumns(load),
      ownerRole: load.ownerRole,
    })
    const types = columns.map(({ column, type, reason }) => `${column} ${type}: ${reason}`).join('\n')
    return [
      {
        kind: 'create_table',
        columnName: null,
        sourceName: null,
        ddl,
        reason: `File "${load.fileName}" asks for it.\n${types}`,
        readings: columns.flatMap(({ readings }) => readings),
      },
    ]
  }
  return columns.map(({ column, header, type, reason, readings }) => {
    const rename = meeting.drift.renames.find(({ from }) => from === column)
    const alike = rename === undefined ? '' : ` It may be a new name of "${rename.to}": ${rename.reason}.`
    return {
      kind: 'add_column',
      columnName: column,
      sourceName: header,
      ddl: `alter table ${quoted(name)} add column ${escapeIdentifier(column)} ${type};`,
      reason: `File "${load.fileName}" has it. ${reason}${alike}`,
      readings,
    }
  })
}

function isTooWide(error: unknown): boolean {
  return error instanceof PermanentError && error.code === 'row_has_too_many_fields'
}

/** What a file waits for, for dba.file.reason. */
export function waitingReason(proposals: Proposal[]): string {
  const what = proposals.map(({ kind, columnName }) =>
    kind === 'create_table' ? 'a new table' : `${kind === 'widen_column' ? 'a wider ' : ''}column "${columnName}"`,
  )
  return `Waits for a decision about ${what.join(', ')}.`
}

interface FirstValues {
  texts: (string | null)[]
  /** By the same place. */
  typed: boolean[]
}

async function firstValues(table: Table, indexes: number[]): Promise<FirstValues[]> {
  const values = indexes.map((): FirstValues => ({ texts: [], typed: [] }))
  let rows = 0
  for await (const batch of table.rows) {
    for (const row of batch) {
      for (const [place, index] of indexes.entries()) {
        values[place]?.texts.push(row.values[index] ?? null)
        values[place]?.typed.push(row.typed?.[index] === true)
      }
    }
    rows += batch.length
    if (rows >= ROWS_LOOKED_AT) break
  }
  return values
}

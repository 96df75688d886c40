/**
 * Brings the rows of a file into a table: decides about columns, makes what is missing, and copies. It knows tables, not runs or datasets;
 * the number that rows carry and what it refers to are handed in.
 */
import { type ClientBase, DatabaseError } from 'pg'
import type { Table } from './table.ts'
import { agreeOnColumns, LOCK_SECONDS, needsShaping, requireRights } from './table-loader/agree-on-columns.ts'
import { copyFile, EmptyFile, refuseEmptyMark } from './table-loader/copy-file.ts'
import type { Drift, DriftPolicy } from './table-loader/drift.ts'
import { TargetError } from './table-loader/refusals.ts'
import { finishTarget, type Shaping, shapeTarget } from './table-loader/shape-target.ts'
import { type Query, readTarget, type TableName, tableName } from './table-loader/target.ts'
import { targetLocked } from './table-loader/target-locked.ts'

export interface TableLoad {
  /** Open, its rows not walked yet. */
  table: Table
  /** Column names for its headers, as columnNames makes them. */
  columns: string[]
  fileName: string
  /** As `schema.table`. */
  target: string
  policy: DriftPolicy
  /** Number that every row carries, and the column for it. */
  datasetId: number
  datasetColumn: string
  /** What the target's column for it refers to. */
  references: { schema: string; table: string; column: string }
  /** What goes into `metadata_label` and `event_date` where the target has them. */
  label: string
  date: string
  /** A file is empty when a value in its first column matches. Default: only when it has no rows. */
  emptyWhen?: RegExp | null
  /** Role that owns targets. */
  ownerRole: string
  signal?: AbortSignal
  /** Told how many rows have been read, now and then. */
  onRows?: (rowsRead: number) => void
}

export interface TableLoaded {
  state: 'active' | 'empty'
  /** In words, for an empty one. */
  reason?: string
  rowsRead: number
  rowsWritten: number
  datasetColumn: string | null
  isTargetNew: boolean
  /** Null when nothing was compared. */
  drift: Drift | null
}

/** How long the foreign key of a new target waits for writers of the table it refers to; the rows are copied by then. */
const FINISH_SECONDS = 60

/**
 * Loads one file within the caller's transaction: all of it, or with an error nothing. An `empty` file changes nothing, the target included.
 * Loads that find the table or columns missing take turns; all others go on beside each other.
 *
 * @throws PermanentError those of decideDrift and of the file's reader, `row_refused`; TargetError `target_not_owned`, `target_not_writable`,
 *   `schema_not_ours`, `target_is_no_table`; JobError `target_locked`, `target_changed`
 */
export async function loadTable(client: ClientBase, load: TableLoad): Promise<TableLoaded> {
  const name = tableName(load.target)
  await client.query('savepoint before_load')
  try {
    await client.query(`set local lock_timeout = '${LOCK_SECONDS}s'`)
    return await loadRows(client, load, name)
  } catch (error) {
    if (error instanceof EmptyFile) {
      await client.query('rollback to savepoint before_load')
      return nothingLoaded(error.message)
    }
    if (error instanceof DatabaseError && error.code === '55P03') {
      await client.query('rollback to savepoint before_load')
      throw await targetLocked(client, name, error)
    }
    throw error
  }
}

/** What `loadTable` would refuse whatever the file: for looking at a config without loading. @returns null when all is well */
export async function targetTrouble(
  query: Query,
  load: Pick<TableLoad, 'target' | 'datasetColumn' | 'ownerRole' | 'policy'>,
): Promise<string | null> {
  try {
    const target = await readTarget(query, tableName(load.target), load.datasetColumn, load.ownerRole)
    if (target === null) {
      return load.policy.onNewColumn === 'add'
        ? null
        : `Table "${load.target}" does not exist, and on_new_column = '${load.policy.onNewColumn}' makes none.`
    }
    requireRights(target, load.ownerRole, load.policy.onNewColumn === 'add' || target.datasetColumn === null)
    return null
  } catch (error) {
    if (error instanceof TargetError) return `${error.message}. ${error.hint ?? ''}`
    throw error
  }
}

async function loadRows(client: ClientBase, load: TableLoad, name: TableName): Promise<TableLoaded> {
  const { headers, headerLine } = load.table
  const rows = load.table.rows[Symbol.asyncIterator]()
  const first = await rows.next()
  // Before the columns are compared: a page that only says "nothing here" has other ones.
  refuseEmptyMark(load.emptyWhen, headers[0], headerLine)
  if (!first.done) for (const row of first.value) refuseEmptyMark(load.emptyWhen, row.values[0], row.line)
  const { target, columns, drift } = await agreeOnColumns(client, { ...load, name })
  if (first.done) return nothingLoaded('The file has column names and no rows.')

  const datasetColumn = target?.datasetColumn ?? load.datasetColumn
  const shaping: Shaping = { name, target, added: drift.added, datasetColumn, references: load.references, ownerRole: load.ownerRole }
  const isUnfinished = needsShaping(target, drift) && (await shapeTarget(client, shaping))
  const copied = await copyFile(client, { ...load, name, columns, drift, datasetColumn, filled: target?.filled ?? [] }, first.value, rows)
  if (isUnfinished) {
    await client.query(`set local lock_timeout = '${FINISH_SECONDS}s'`)
    await finishTarget(client, shaping)
  }
  return { state: 'active', ...copied, datasetColumn, isTargetNew: target === null, drift }
}

function nothingLoaded(reason: string): TableLoaded {
  return { state: 'empty', reason, rowsRead: 0, rowsWritten: 0, datasetColumn: null, isTargetNew: false, drift: null }
}

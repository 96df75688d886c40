/**
 * Brings the tables of a file into one table of Postgres: decides about columns, makes what is missing, converts, refuses rows, looks at the
 * whole, and lets the rows in by one of five modes. It knows tables, not runs or datasets; the transactions and what stands in the books are
 * handed in (table-loader/load.ts).
 */
import { DatabaseError } from 'pg'
import { PermanentError } from './errors.ts'
import { requireReadable } from './table-loader/column-settings.ts'
import { type Course, firstCourse, NeedsAllColumns, NeedsStaging, NeedsTurn } from './table-loader/course.ts'
import { loadDirectly } from './table-loader/direct-lane.ts'
import { requireWhole } from './table-loader/fillable.ts'
import type { FixedRow, LoadHost, TablesLoad, TablesLoaded } from './table-loader/load.ts'
import { splitName } from './table-loader/meet.ts'
import { RowsRefused } from './table-loader/row-refusal.ts'
import { tablesOfFixedRows } from './table-loader/rows-table.ts'
import { CannotWiden } from './table-loader/shape-target.ts'
import { loadStaged } from './table-loader/staged-lane.ts'
import { type Query, readTarget } from './table-loader/target.ts'
import { targetLocked } from './table-loader/target-locked.ts'
import { requireOwnership, requireRights } from './table-loader/target-rights.ts'
import { TooNarrow, waitingForWider } from './table-loader/widen.ts'

/**
 * Loads one file: all rows that fit, or with an error nothing. An `empty` file changes nothing, the target included, nor does one that is
 * `waiting`. Loads that change the target, or look what it holds, take turns; all others go on beside each other. Readers see the old rows or
 * the new ones, never half.
 *
 * Two lanes: rows go straight into the target; or, where they have to be looked at before (upsert, append_new, expressions, rows that Postgres
 * refuses), into a staging table first. Which of them it takes is no difference in what is loaded.
 *
 * @throws LoadRefused `too_many_rejects`, `check_failed`; PermanentError those of decideDrift, of the rules of columns and of the file's reader,
 *   `required_column_missing`, `key_column_missing`, `duplicate_key`, `check_column_unknown`, `check_not_evaluated`; TargetError
 *   `target_not_owned`, `target_not_writable`, `schema_not_ours`, `target_is_no_table`, `extra_is_no_jsonb`; JobError `target_locked`,
 *   `target_changed`
 */
export async function loadTables(host: LoadHost, whole: TablesLoad): Promise<TablesLoaded> {
  const { only } = host
  const load = only === null ? whole : loadOfFixedRows(whole, only)
  let course = firstCourse(load, host.isDryRun, mayWiden(whole, only !== null))
  for (;;) {
    try {
      return course.lane === 'direct' ? await loadDirectly(host, load, course) : await loadStaged(host, load, course)
    } catch (error) {
      if (error instanceof TooNarrow && load.policy.onNewColumn === 'propose')
        return await host.commit(async () => waitingForWider(load, error.wider))
      course = await nextCourse(host, load, course, error)
    }
  }
}

/** What `loadTables` would refuse whatever the file: for looking at a config without loading. @returns null when all is well */
export async function targetTrouble(
  query: Query,
  load: Pick<TablesLoad, 'target' | 'datasetColumn' | 'ownerRole' | 'policy' | 'columns' | 'sourceZone'>,
): Promise<string | null> {
  const { onNewColumn } = load.policy
  try {
    requireReadable(load.columns, load.sourceZone)
    const target = await readTarget(query, splitName(load.target), load.datasetColumn, load.ownerRole)
    if (target === null) {
      return onNewColumn === 'ignore' || onNewColumn === 'fail'
        ? `Table "${load.target}" does not exist, and on_new_column = '${onNewColumn}' makes none.`
        : null
    }
    requireWhole(target, new Set(target.columns.fromFiles))
    requireRights(target, load.ownerRole, { additions: [], widened: [], datasetColumn: load.datasetColumn })
    if (onNewColumn === 'add') requireOwnership(target, load.ownerRole)
    return null
  } catch (error) {
    if (error instanceof PermanentError) return `${error.message}. ${error.hint ?? ''}`
    throw error
  }
}

/**
 * A column that is too narrow is made wider whatever becomes of new ones: a row that is refused is a row lost. Only where any drift is to fail it
 * stays; and where people decide, nobody is asked for single rows.
 */
function mayWiden({ policy: { onNewColumn } }: TablesLoad, isOfFixedRows: boolean): boolean {
  return onNewColumn !== 'fail' && !(onNewColumn === 'propose' && isOfFixedRows)
}

/** Rows that join those of their file: what was decided about the file as a whole stays so. */
function loadOfFixedRows(load: TablesLoad, rows: FixedRow[]): TablesLoad {
  return {
    ...load,
    open: () => tablesOfFixedRows(load.open(), rows),
    mode: load.mode === 'upsert' || load.mode === 'append_new' ? load.mode : 'append',
    onDuplicateKey: 'last',
    policy: { onNewColumn: load.policy.onNewColumn === 'extra' ? 'extra' : 'ignore', onMissingColumn: 'null' },
    emptyWhen: null,
    checks: [],
    maxRejects: null,
    maxRejectPercent: null,
  }
}

/** How to begin again after what stopped the last try. Each step is taken once, so that it ends. @throws what no other way mends */
async function nextCourse(host: LoadHost, load: TablesLoad, course: Course, error: unknown): Promise<Course> {
  load.signal?.throwIfAborted()
  if ((error instanceof RowsRefused || error instanceof NeedsStaging) && course.lane === 'direct') return { ...course, lane: 'staged' }
  if (error instanceof NeedsAllColumns && !course.hasAllColumns) return { ...course, hasAllColumns: true }
  if (error instanceof NeedsTurn && !course.isAlone) return { ...course, isAlone: true }
  if (error instanceof CannotWiden) return { ...course, wider: [], mayWiden: false }
  if (error instanceof TooNarrow && course.mayWiden) {
    const others = course.wider.filter(({ name }) => !error.wider.some((wider) => wider.name === name))
    return { ...course, isAlone: true, wider: [...others, ...error.wider] }
  }
  if (error instanceof DatabaseError && error.code === '55P03')
    throw await host.prepare((client) => targetLocked(client, splitName(load.target), error))
  throw error
}

/** A table of a file meets the target: which value goes where, as what, and what the target lacks. Looks at nothing but what it is given. */

import type { ColumnRule } from '../copy-plan.ts'
import { PermanentError } from '../errors.ts'
import type { Table } from '../table.ts'
import { RefusedValue } from '../values/refused-value.ts'
import { createConversion } from '../values.ts'
import { absentSettings, columnRule, type FileColumn, nameColumns, requireSettled } from './column-settings.ts'
import { type Drift, decideDrift } from './drift.ts'
import { requireFillable, requireGiven, requireWhole } from './fillable.ts'
import type { LoadHost, TableMet, TablesLoad } from './load.ts'
import { TargetError } from './refusals.ts'
import {
  EXTRA_COLUMN,
  keyColumn,
  quoted,
  STAGED_LINE,
  STAGED_TABLE,
  type TableName,
  type TargetColumn,
  type TargetTable,
} from './target.ts'

export interface LoadedColumn {
  index: number
  header: string
  column: string
  /** As format_type writes it. */
  type: string
  baseType: string
  /** Of the target's column; null for a plain type. */
  domain: string | null
  /** Null: every text passes. */
  rule: ColumnRule | null
}

export interface NewColumn {
  name: string
  type: string
}

export interface Meeting {
  kind: string
  sheet: string | null
  headers: string[]
  headerLine: number
  drift: Drift
  columns: LoadedColumn[]
  /** Columns that the file lacks and that have a default of their own. */
  defaults: { column: string; value: string; baseType: string }[]
  /** Values that go into `extra`. */
  extra: { index: number; name: string }[]
  /** What the target needs first, `extra` included. */
  additions: NewColumn[]
  /** What people have to decide about first. */
  proposed: (FileColumn & { type: string })[]
}

/**
 * @param target as it is, with what the tables before this one will add; null when there is none
 * @throws those of decideDrift and of columnRule's values; PermanentError `required_column_missing`, `column_not_fillable`, `too_many_columns`,
 *   `proposal_refused`; TargetError `extra_is_no_jsonb`
 */
export function meet(
  load: TablesLoad,
  table: Table,
  target: TargetTable | null,
  { refusedColumns, isTableRefused }: Pick<LoadHost, 'refusedColumns' | 'isTableRefused'>,
): Meeting {
  if (target === null && load.policy.onNewColumn === 'propose' && isTableRefused) throw proposalRefused(load)
  const name = { ...load, file: load.fileName }
  const usesExtra = load.policy.onNewColumn === 'extra'
  if (usesExtra && target !== null) requireUsableExtra(target)
  const reserved = [
    STAGED_TABLE,
    STAGED_LINE,
    ...(target?.reserved ?? [keyColumn(splitName(load.target)), load.datasetColumn]),
    ...(usesExtra && target !== null ? [EXTRA_COLUMN] : []),
  ]
  requireFillable(load, reserved)
  const named = nameColumns(table.headers, load.columns, load.nameRule, reserved)
  requireSettled(load.columns, named, load.fileName)
  const withDefaults = absentSettings(load.columns, named).filter(({ defaultValue }) => defaultValue !== null)
  const drift = decideDrift(
    named.map(({ column }) => column),
    target === null
      ? null
      : withoutColumns(
          target,
          withDefaults.map(({ columnName }) => columnName),
          usesExtra,
        ),
    load.policy,
    name,
    refusedColumns,
  )
  requireRoom(load, target, drift.added.length)
  const existing = new Map(target?.all.map((column) => [column.name, column]))
  const columns = drift.loaded.map(({ index, column }) => loadedColumn(named[index], column, existing.get(column) ?? null, load.sourceZone))
  const given = new Set([...columns.map(({ column }) => column), ...withDefaults.map(({ columnName }) => columnName)])
  if (target !== null && drift.proposed.length === 0) requireGiven(load, target, given)
  if (target !== null) requireWhole(target, given)
  // Sets and maps: a file may have columns by the ten thousand.
  const types = new Map(named.map(({ column, setting }) => [column, setting?.type ?? 'text']))
  const [added, extra, proposed] = [new Set(drift.added), new Set(drift.extra), new Set(drift.proposed)]
  const defaults = withDefaults.map((setting) => ({ setting, target: existing.get(setting.columnName) ?? null }))
  return {
    kind: table.kind,
    sheet: table.sheet,
    headers: table.headers,
    headerLine: table.headerLine,
    drift,
    columns,
    defaults: defaults.map(({ setting, target: column }) => ({
      column: setting.columnName,
      value: defaultOf(columnRule(setting.columnName, setting, column, load.sourceZone), setting.defaultValue ?? ''),
      baseType: column?.baseType ?? baseTypeOf(setting.type),
    })),
    extra: named.filter(({ column }) => extra.has(column)).map(({ index, column }) => ({ index, name: column })),
    additions: [
      ...drift.added.map((column) => ({ name: column, type: types.get(column) ?? 'text' })),
      ...defaults
        .filter(
          ({ target: column, setting }) =>
            column === null &&
            (target === null || drift.added.length > 0 || load.policy.onNewColumn === 'add') &&
            !added.has(setting.columnName),
        )
        .map(({ setting }) => ({ name: setting.columnName, type: setting.type })),
      ...(drift.extra.length > 0 && target?.hasExtra === false ? [{ name: EXTRA_COLUMN, type: 'jsonb' }] : []),
    ],
    proposed: named.filter(({ column }) => proposed.has(column)).map((one) => ({ ...one, type: one.setting?.type ?? 'text' })),
  }
}

/** No table of Postgres has more, those that were dropped counted too. */
const MOST_COLUMNS = 1600

function requireRoom({ fileName, target: name }: TablesLoad, target: TargetTable | null, added: number): void {
  const before = target?.all.length ?? 2
  if (added === 0 || before + added <= MOST_COLUMNS) return
  throw new PermanentError('too_many_columns', `File "${fileName}" has more columns than a table can hold`, {
    detail: `"${name}" would have ${before + added}; PostgreSQL holds ${MOST_COLUMNS}.`,
    hint: 'Set on_new_column in dba.importconfig to extra (the others go into one jsonb column) or ignore, or check delimiter and header_row.',
  })
}

/** What the log says of it. */
export function metOf({ kind, sheet, headerLine, drift }: Meeting): TableMet {
  return { kind, sheet, headerLine, drift }
}

/** The target as it will be when a meeting's additions have been made. */
export function withAdditions(load: TablesLoad, target: TargetTable | null, meeting: Meeting): TargetTable {
  const before = target ?? newTarget(load)
  const added = meeting.additions.map(({ name, type }): TargetColumn => plainColumn(name, type))
  const names = added.map(({ name }) => name).filter((name) => name !== EXTRA_COLUMN || load.policy.onNewColumn !== 'extra')
  return {
    ...before,
    all: [...before.all, ...(before.datasetColumn === null ? [plainColumn(load.datasetColumn, 'bigint')] : []), ...added],
    columns: { writable: [...before.columns.writable, ...names], fromFiles: [...before.columns.fromFiles, ...names] },
    datasetColumn: before.datasetColumn ?? load.datasetColumn,
    hasExtra: before.hasExtra || added.some(({ name, type }) => name === EXTRA_COLUMN && type === 'jsonb'),
  }
}

/** `feeds.price` in its two parts. */
export function splitName(target: string): TableName {
  const [schema = '', table = ''] = target.split('.')
  return { schema, table }
}

/** A type without its length, as a cast may name it: one that cuts and rounds nothing. */
export function baseTypeOf(type: string): string {
  const base = type.replace(/\([^)]*\)/, '')
  if (base === 'character') return 'bpchar'
  return base === 'bit' ? '"bit"' : base
}

function loadedColumn(named: FileColumn | undefined, column: string, target: TargetColumn | null, sourceZone: string): LoadedColumn {
  const setting = named?.setting ?? null
  const type = target?.type ?? setting?.type ?? 'text'
  return {
    index: named?.index ?? 0,
    header: named?.header ?? column,
    column,
    type,
    baseType: target?.baseType ?? baseTypeOf(type),
    domain: target?.domain ?? null,
    rule: columnRule(column, setting, target ?? (setting === null ? null : plainColumn(column, setting.type)), sourceZone),
  }
}

/** The value of a column that the file lacks. A default that is no value of its type is refused when the conversion is made. */
function defaultOf(rule: ColumnRule | null, defaultValue: string): string {
  const value = rule === null ? defaultValue : createConversion(rule)(null)
  return value === null || value instanceof RefusedValue ? defaultValue : value
}

/** Columns that are filled otherwise do not count as missing, nor does `extra` once the policy is another one. */
function withoutColumns({ columns, hasExtra }: TargetTable, filled: string[], usesExtra: boolean) {
  const isElse = (column: string) => filled.includes(column) || (hasExtra && column === EXTRA_COLUMN)
  return {
    writable: columns.writable.filter((column) => !(usesExtra && hasExtra && column === EXTRA_COLUMN)),
    fromFiles: columns.fromFiles.filter((column) => !isElse(column)),
  }
}

function plainColumn(name: string, type: string): TargetColumn {
  return {
    name,
    type,
    baseType: baseTypeOf(type),
    domain: null,
    isNotNull: false,
    hasDefault: false,
    isIdentity: false,
    isAlwaysNumbered: false,
    isGenerated: false,
  }
}

function newTarget(load: TablesLoad): TargetTable {
  const name = splitName(load.target)
  const key: TargetColumn = { ...plainColumn(keyColumn(name), 'bigint'), isNotNull: true, isIdentity: true, isAlwaysNumbered: true }
  return {
    name,
    owner: load.ownerRole,
    all: [key, { ...plainColumn(load.datasetColumn, 'bigint'), isNotNull: true }],
    uniqueKeys: [],
    isOurs: true,
    below: null,
    isWritable: true,
    hasRowSecurity: false,
    hasRowTriggers: false,
    isPartition: false,
    columns: { writable: [], fromFiles: [] },
    filled: [],
    datasetColumn: load.datasetColumn,
    hasExtra: false,
    reserved: [keyColumn(name), load.datasetColumn],
  }
}

function requireUsableExtra({ name, all, hasExtra }: TargetTable): void {
  const extra = all.find((column) => column.name === EXTRA_COLUMN)
  if (extra === undefined || hasExtra) return
  throw new TargetError('extra_is_no_jsonb', `Column "${EXTRA_COLUMN}" of "${name.schema}.${name.table}" is ${extra.type}`, {
    hint: `alter table ${quoted(name)} alter column ${EXTRA_COLUMN} type jsonb using to_jsonb(${EXTRA_COLUMN}); or set on_new_column in dba.importconfig otherwise.`,
  })
}

function proposalRefused({ target }: TablesLoad): PermanentError {
  return new PermanentError('proposal_refused', `Table "${target}" does not exist, and somebody refused to have it made`, {
    hint: `Approve it after all: update dba.columnproposal set state = 'approved' where kind = 'create_table' and …; or make the table.`,
  })
}

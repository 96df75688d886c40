import { escapeIdentifier } from 'pg'
import type { TargetColumns } from './drift.ts'
import { TargetError } from './refusals.ts'

/** Runs one statement and returns its rows. */
export type Query = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>

export interface TableName {
  schema: string
  table: string
}

/** A table as the loader sees it. */
export interface TargetTable {
  name: TableName
  owner: string
  /** Whether the role that owns targets may alter it. */
  isOurs: boolean
  /** Whether this session may write to it, and take rows out. */
  isWritable: boolean
  columns: TargetColumns
  /** Columns that Rota fills where they are there. */
  filled: FilledColumn[]
  /** The column that refers to its dataset; null when it has none. */
  datasetColumn: string | null
  /** Names that no column of a file may take. */
  reserved: string[]
}

export type FilledColumn = 'source_file' | 'source_row' | 'metadata_label' | 'event_date'

const FILLED_COLUMNS: FilledColumn[] = ['source_file', 'source_row', 'metadata_label', 'event_date']

/** `feeds.price` in its two parts. */
export function tableName(text: string): TableName {
  const [schema = '', table = ''] = text.split('.')
  return { schema, table }
}

/** As SQL writes it. */
export function quoted({ schema, table }: TableName): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`
}

/** The key that the loader makes: `<table>_id`. */
export function keyColumn({ table }: TableName): string {
  return `${table.slice(0, 60)}_id`
}

/**
 * Looks a target up in the catalog.
 *
 * @param datasetColumn what the settings call it; where the table has `datasetid` instead, that is taken.
 * @param ownerRole the role that owns targets.
 * @returns null when there is no such table
 * @throws TargetError `target_is_no_table`
 */
export async function readTarget(query: Query, name: TableName, datasetColumn: string, ownerRole: string): Promise<TargetTable | null> {
  const [relation] = await query(relationQuery, [name.schema, name.table, ownerRole])
  if (relation === undefined) return null
  if (relation.is_table !== true) throw targetIsNoTable(name)
  const columns = (await query(columnsQuery, [relation.oid])).map(columnOf)
  const writable = columns.filter((column) => !column.isGenerated)
  const dataset = [datasetColumn, 'datasetid'].find((wanted) => columns.some((column) => column.name === wanted)) ?? null
  const key = columns.find((column) => column.isIdentity && column.name === keyColumn(name))
  const reserved = [
    dataset ?? datasetColumn,
    ...columns.filter((column) => column.isGenerated || column === key).map((column) => column.name),
  ]
  const names = writable.map((column) => column.name).filter((column) => !reserved.includes(column))
  const filled = FILLED_COLUMNS.filter((wanted) => names.includes(wanted))
  const withDefault = new Set(columns.filter((column) => column.hasDefault || column.isIdentity).map((column) => column.name))
  return {
    name,
    owner: String(relation.owner),
    isOurs: relation.is_ours === true,
    isWritable: relation.is_writable === true,
    columns: { writable: names, fromFiles: names.filter((column) => !withDefault.has(column) && !filled.some((own) => own === column)) },
    filled,
    datasetColumn: dataset,
    reserved,
  }
}

/** Says what a person has to type so that Rota may alter and fill the table. @throws TargetError `target_not_owned` */
export function refuseTargetOfOthers(target: TargetTable, ownerRole: string, wanted: string): never {
  throw new TargetError(
    'target_not_owned',
    `Table "${target.name.schema}.${target.name.table}" belongs to "${target.owner}", so Rota cannot ${wanted}`,
    {
      hint: `${ownershipFix(target, ownerRole)}`,
    },
  )
}

/** The statements that hand a table over. */
export function ownershipFix({ name }: TargetTable, ownerRole: string): string {
  return `alter table ${quoted(name)} owner to ${ownerRole}; grant usage, create on schema ${escapeIdentifier(name.schema)} to ${ownerRole};`
}

const relationQuery = `
  select c.oid::text as oid, c.relkind in ('r', 'p') as is_table, pg_get_userbyid(c.relowner) as owner,
         pg_has_role($3, c.relowner, 'usage') and has_schema_privilege($3, n.oid, 'usage') as is_ours,
         has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'insert') and has_table_privilege(c.oid, 'delete') as is_writable
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2`

const columnsQuery = `
  select attname as name, attidentity <> '' as is_identity, attgenerated <> '' as is_generated, atthasdef as has_default
  from pg_attribute
  where attrelid = $1::oid and attnum > 0 and not attisdropped
  order by attnum`

function columnOf(row: Record<string, unknown>) {
  return {
    name: String(row.name),
    isIdentity: row.is_identity === true,
    isGenerated: row.is_generated === true,
    hasDefault: row.has_default === true,
  }
}

function targetIsNoTable({ schema, table }: TableName): TargetError {
  return new TargetError('target_is_no_table', `"${schema}.${table}" is not a table`, {
    hint: 'Name a table in target_table of dba.importconfig; a view or an index cannot be loaded.',
  })
}

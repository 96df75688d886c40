import { type ClientBase, escapeIdentifier } from 'pg'
import type { TargetColumns } from './drift.ts'
import { TargetError } from './refusals.ts'

/** Runs one statement and returns its rows. */
export type Query = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>

/** Columns of a staging table beside those of the target: number of the file's table from 0, and line. No column of a file is named so. */
export const STAGED_TABLE = 'rota_table'
export const STAGED_LINE = 'rota_line'

export function queryOf(client: ClientBase): Query {
  return async (text, values) => (await client.query<Record<string, unknown>>(text, values)).rows
}

export interface TableName {
  schema: string
  table: string
}

export interface TargetColumn {
  name: string
  /** As format_type writes it: `numeric(12,2)`; of a domain the type below it, with the domain's length. */
  type: string
  /** The same without its length: `numeric`; a cast to it cuts and rounds nothing. */
  baseType: string
  /** The domain, which may have rules of its own; null for a plain type. */
  domain: string | null
  isNotNull: boolean
  hasDefault: boolean
  isIdentity: boolean
  /** An identity that Postgres numbers whatever a statement says; a file's own numbers need a word of their own. */
  isAlwaysNumbered: boolean
  isGenerated: boolean
}

/** A table as the loader sees it. */
export interface TargetTable {
  name: TableName
  owner: string
  /** Every column. */
  all: TargetColumn[]
  /** Columns of its unique indexes that hold for all rows and are checked at once. */
  uniqueKeys: string[][]
  /** Whether the role that owns targets may alter it. */
  isOurs: boolean
  /** A table below it that this role may not alter, so that it may not alter this one; null where there is none. */
  below: { name: TableName; owner: string } | null
  /** Whether this session may write to it, and take rows out. */
  isWritable: boolean
  /** Whether policies decide which rows this session sees and writes. */
  hasRowSecurity: boolean
  /** Whether a trigger may fill columns of each row before it is written. */
  hasRowTriggers: boolean
  /** Whether it is a partition of another table, which alone may get columns. */
  isPartition: boolean
  columns: TargetColumns
  /** Columns that Rota fills where they are there. */
  filled: FilledColumn[]
  /** The column that refers to its dataset; null when it has none. */
  datasetColumn: string | null
  /** Whether it has a column `extra` for values that have no column: jsonb or json. */
  hasExtra: boolean
  /** Names that no column of a file may take. */
  reserved: string[]
}

/** The column that holds, as one JSON object, what has no column of its own. */
export const EXTRA_COLUMN = 'extra'

export type FilledColumn = 'source_file' | 'source_row' | 'metadata_label' | 'event_date'

const FILLED_COLUMNS: FilledColumn[] = ['source_file', 'source_row', 'metadata_label', 'event_date']

/** As SQL writes it. */
export function quoted({ schema, table }: TableName): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`
}

/** The key that the loader makes: `<table>_id`. */
export function keyColumn({ table }: TableName): string {
  return `${table.slice(0, 60)}_id`
}

/** So many row numbers of that key a session takes at once: as many as Postgres writes ahead into its log anyway. */
export const NUMBERS_AT_ONCE = 32

/**
 * Looks a target up in the catalog.
 *
 * @param datasetColumn what the settings call it; where the table has `datasetid` instead, that is taken.
 * @param ownerRole the role that owns targets.
 * @returns null when there is no such table
 * @throws TargetError `target_is_no_table`, `target_has_rule`
 */
export async function readTarget(query: Query, name: TableName, datasetColumn: string, ownerRole: string): Promise<TargetTable | null> {
  const [relation] = await query(relationQuery, [name.schema, name.table, ownerRole])
  if (relation === undefined) return null
  if (!/^[rp]$/.test(String(relation.kind))) throw targetIsNoTable(name, String(relation.kind))
  if (relation.rule !== null) throw targetHasRule(name, String(relation.rule))
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
    all: columns,
    uniqueKeys: (await query(uniqueKeysQuery, [relation.oid])).map(({ columns: key }) => (Array.isArray(key) ? key.map(String) : [])),
    isOurs: relation.is_ours === true && relation.below_table === null,
    below:
      relation.below_table === null
        ? null
        : { name: { schema: String(relation.below_schema), table: String(relation.below_table) }, owner: String(relation.below_owner) },
    isWritable: relation.is_writable === true,
    hasRowSecurity: relation.has_row_security === true,
    hasRowTriggers: relation.has_row_triggers === true,
    isPartition: relation.is_partition === true,
    columns: { writable: names, fromFiles: names.filter((column) => !withDefault.has(column) && !filled.some((own) => own === column)) },
    filled,
    datasetColumn: dataset,
    hasExtra: columns.some(({ name: column, type }) => column === EXTRA_COLUMN && /^jsonb?$/.test(type)),
    reserved,
  }
}

/** Whether a type takes any text as it is. */
export function isPlainText(type: string): boolean {
  return type === 'text' || type === 'character varying'
}

const relationQuery = `
  select c.oid::text as oid, c.relkind::text as kind, pg_get_userbyid(c.relowner) as owner, row_security_active(c.oid) as has_row_security,
         exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgtype & 7 = 7) as has_row_triggers,
         pg_has_role($3, c.relowner, 'usage') and has_schema_privilege($3, n.oid, 'usage') as is_ours,
         b.below_schema, b.below_table, b.below_owner,
         c.relispartition as is_partition, (select w.rulename::text from pg_rewrite w where w.ev_class = c.oid order by 1 limit 1) as rule,
         has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'insert') and has_table_privilege(c.oid, 'delete') as is_writable
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  -- A column that is added comes into all tables below.
  left join lateral (
    with recursive below as (
      select i.inhrelid from pg_inherits i where i.inhparent = c.oid
      union
      select i.inhrelid from below b join pg_inherits i on i.inhparent = b.inhrelid
    )
    select dn.nspname::text as below_schema, d.relname::text as below_table, pg_get_userbyid(d.relowner)::text as below_owner
    from below join pg_class d on d.oid = below.inhrelid join pg_namespace dn on dn.oid = d.relnamespace
    where not pg_has_role($3, d.relowner, 'usage')
    order by 1, 2
    limit 1
  ) b on true
  where n.nspname = $1 and c.relname = $2`

const uniqueKeysQuery = `
  select array(
           select a.attname::text
           from unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
           join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where k.place <= i.indnkeyatts
           order by k.place) as columns
  from pg_index i
  where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null`

const columnsQuery = `
  with recursive typed as (
    select attnum, atttypid as type_id, atttypmod as modifier
    from pg_attribute
    where attrelid = $1::oid and attnum > 0 and not attisdropped
    union all
    select c.attnum, t.typbasetype, t.typtypmod from typed c join pg_type t on t.oid = c.type_id where t.typtype = 'd'
  ),
  -- The last of them is no domain.
  based as (select c.attnum, c.type_id, c.modifier from typed c join pg_type t on t.oid = c.type_id where t.typtype <> 'd')
  select attname as name, attidentity <> '' as is_identity, attidentity = 'a' as is_always_numbered, attgenerated <> '' as is_generated, atthasdef as has_default,
         format_type(type_id, modifier) as type, format_type(type_id, -1) as base_type, attnotnull as is_not_null,
         case when type_id <> atttypid then format_type(atttypid, -1) end as domain
  from pg_attribute join based using (attnum)
  where attrelid = $1::oid and attnum > 0 and not attisdropped
  order by attnum`

function columnOf(row: Record<string, unknown>): TargetColumn {
  return {
    name: String(row.name),
    type: String(row.type),
    baseType: String(row.base_type),
    domain: row.domain === null ? null : String(row.domain),
    isNotNull: row.is_not_null === true,
    isIdentity: row.is_identity === true,
    isAlwaysNumbered: row.is_always_numbered === true,
    isGenerated: row.is_generated === true,
    hasDefault: row.has_default === true,
  }
}

const KINDS: Record<string, string> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
  c: 'a type',
  i: 'an index',
}

/** Rules hold for statements and not for COPY: what became of a row would depend on the way it takes. */
function targetHasRule(name: TableName, rule: string): TargetError {
  return new TargetError(
    'target_has_rule',
    `Table "${name.schema}.${name.table}" has the rule "${rule}", which rewrites statements on it`,
    {
      detail: 'Rows that are copied in do not meet rules.',
      hint: `drop rule ${escapeIdentifier(rule)} on ${quoted(name)}; a trigger can do what it does.`,
    },
  )
}

function targetIsNoTable({ schema, table }: TableName, kind: string): TargetError {
  return new TargetError('target_is_no_table', `"${schema}.${table}" is not a table but ${KINDS[kind] ?? 'something else'}`, {
    hint: 'Name a table in target_table of dba.importconfig, perhaps the one behind it.',
  })
}

import { type ClientBase, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg'
import type { NewColumn } from './meet.ts'
import { TargetError } from './refusals.ts'
import { keyColumn, NUMBERS_AT_ONCE, quoted, type TableName, type TargetTable } from './target.ts'
import { takeSchemaTurn } from './target-lock.ts'

export interface Shaping {
  name: TableName
  /** Null: the table is to be made. */
  target: TargetTable | null
  added: NewColumn[]
  /** Columns that get a wider type. */
  widened: NewColumn[]
  datasetColumn: string
  /** Columns that name a row, for an index on a table that is made; empty: no row has a name. */
  keyColumns: string[]
  ownerRole: string
}

/** Something stands on a column that is too narrow, a view perhaps, so that its type cannot be changed. */
export class CannotWiden extends Error {
  override name = 'CannotWiden'
}

/** Whether the table is to be made or altered. */
export function needsShaping(target: TargetTable | null, added: NewColumn[], widened: NewColumn[]): boolean {
  return target === null || target.datasetColumn === null || added.length + widened.length > 0
}

/**
 * Makes the target, or the columns it lacks, as the role that owns targets. The keys of a new table are left to `finishTarget`: made once after
 * the rows they cost a fraction.
 *
 * @throws TargetError `schema_not_ours`, `target_not_owned`; CannotWiden
 */
export async function shapeTarget(client: ClientBase, shaping: Shaping): Promise<void> {
  const { name, target, datasetColumn, ownerRole } = shaping
  if (target === null) {
    await makeSchema(client, shaping)
    await asRole(client, ownerRole, [createTable(shaping), datasetIndex(name, datasetColumn), ...tableComments(shaping)])
    return
  }
  await asRole(client, ownerRole, addColumns(shaping))
  try {
    await asRole(client, ownerRole, widenColumns(shaping))
  } catch (error) {
    throw error instanceof DatabaseError && UNCHANGEABLE.includes(error.code ?? '') ? new CannotWiden(error.message) : error
  }
}

/** A view stands on the column, a policy or trigger names it; it is inherited, or rows are parted by it; the table is of a type. */
const UNCHANGEABLE = ['0A000', '2BP01', '42P16', '42809']

/** What `shapeTarget` left for after the rows. */
export async function finishTarget(client: ClientBase, shaping: Shaping): Promise<void> {
  const { name, target, datasetColumn, ownerRole } = shaping
  await asRole(client, ownerRole, target === null ? keys(shaping) : [datasetIndex(name, datasetColumn)])
}

/** The statements that make a table as Rota makes it, for people to carry out. */
export function tableInWords(shaping: Shaping): string {
  const { name, datasetColumn, ownerRole } = shaping
  return [
    `create schema if not exists ${escapeIdentifier(name.schema)}`,
    createTable(shaping),
    ...keys(shaping),
    datasetIndex(name, datasetColumn),
    ...tableComments(shaping),
    `alter table ${quoted(name)} owner to ${escapeIdentifier(ownerRole)}`,
  ]
    .map((statement) => `${statement};`)
    .join('\n')
}

/** The statements by which the target becomes what the load needs; null: it is that already. */
export function shapingInWords(shaping: Shaping): string | null {
  const { name, target, datasetColumn } = shaping
  if (target === null) return tableInWords(shaping)
  const index = target.datasetColumn === null ? [datasetIndex(name, datasetColumn)] : []
  const statements = [...addColumns(shaping), ...widenColumns(shaping), ...index]
  return statements.length === 0 ? null : statements.map((statement) => `${statement};`).join('\n')
}

/** Acts as another role within the transaction, then as before; when a statement fails the transaction has to be rolled back, and the role with it. */
export async function asRole(client: ClientBase, role: string, statements: string[]): Promise<void> {
  if (statements.length === 0) return
  const { rows } = await client.query<{ before: string }>('select current_user::text as before')
  await client.query(`set local role ${escapeIdentifier(role)}`)
  for (const statement of statements) await client.query(statement)
  await client.query(`set local role ${escapeIdentifier(rows[0]?.before ?? 'none')}`)
}

function addColumns({ name, target, added, datasetColumn }: Shaping): string[] {
  const additions = [
    ...(target?.datasetColumn === null ? [`add column ${escapeIdentifier(datasetColumn)} bigint`] : []),
    ...added.map((column) => `add column ${columnSql(column)}`),
  ]
  return additions.length === 0 ? [] : [`alter table ${quoted(name)} ${additions.join(', ')}`]
}

function widenColumns({ name, widened }: Shaping): string[] {
  const changes = widened.map((column) => `alter column ${escapeIdentifier(column.name)} type ${column.type}`)
  return changes.length === 0 ? [] : [`alter table ${quoted(name)} ${changes.join(', ')}`]
}

function createTable({ name, added, datasetColumn }: Shaping): string {
  const columns = [
    `${escapeIdentifier(keyColumn(name))} bigint generated always as identity (cache ${NUMBERS_AT_ONCE})`,
    `${escapeIdentifier(datasetColumn)} bigint not null`,
    ...added.map(columnSql),
  ]
  return `create table ${quoted(name)} (\n  ${columns.join(',\n  ')}\n)`
}

function columnSql({ name, type }: NewColumn): string {
  return `${escapeIdentifier(name)} ${type}`
}

function keys({ name, keyColumns }: Shaping): string[] {
  const primaryKey = `alter table ${quoted(name)} add primary key (${escapeIdentifier(keyColumn(name))})`
  if (keyColumns.length === 0) return [primaryKey]
  const index = escapeIdentifier(`${name.table.slice(0, 52)}_by_key`)
  return [primaryKey, `create unique index ${index} on ${quoted(name)} (${keyColumns.map(escapeIdentifier).join(', ')})`]
}

/**
 * Small whatever the table's size, since the rows of a dataset lie together. With Postgres's own 128 pages to an entry, a large file fills the queue
 * of entries to be made, and Postgres's log with what had no place there.
 */
function datasetIndex(name: TableName, datasetColumn: string): string {
  const index = escapeIdentifier(`${name.table.slice(0, 52)}_by_dataset`)
  return `create index ${index} on ${quoted(name)} using brin (${escapeIdentifier(datasetColumn)}) with (pages_per_range = 1024, autosummarize = on)`
}

async function makeSchema(client: ClientBase, { name, ownerRole }: Shaping): Promise<void> {
  if ((await mayCreateIn(client, name, ownerRole)) === null) await takeSchemaTurn(client, name.schema)
  const mayCreate = await mayCreateIn(client, name, ownerRole)
  if (mayCreate === null) await asRole(client, ownerRole, [`create schema if not exists ${escapeIdentifier(name.schema)}`])
  else if (!mayCreate) throw schemaNotOurs(name, ownerRole)
}

/** Null: there is no such schema. */
async function mayCreateIn(client: ClientBase, { schema }: TableName, ownerRole: string): Promise<boolean | null> {
  const { rows } = await client.query<{ may_create: boolean }>(
    `select has_schema_privilege($2, oid, 'create') and has_schema_privilege($2, oid, 'usage') as may_create from pg_namespace where nspname = $1`,
    [schema, ownerRole],
  )
  return rows[0]?.may_create ?? null
}

function tableComments({ name, datasetColumn }: Shaping): string[] {
  const on = (column: string) => `${quoted(name)}.${escapeIdentifier(column)}`
  return [
    `comment on table ${quoted(name)} is ${escapeLiteral('Loaded by Rota: each file is one dataset, see dba.dataset. Columns of the file are text, as they came, unless dba.importcolumn says otherwise.')}`,
    `comment on column ${on(keyColumn(name))} is ${escapeLiteral('Number of the row.')}`,
    `comment on column ${on(datasetColumn)} is ${escapeLiteral('The dataset it came with: dba.dataset.')}`,
  ]
}

function schemaNotOurs({ schema }: TableName, ownerRole: string): TargetError {
  return new TargetError('schema_not_ours', `Rota may not create tables in schema "${schema}"`, {
    hint: `grant usage, create on schema ${escapeIdentifier(schema)} to ${ownerRole};`,
  })
}

import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg'
import type { LoadHost, TablesLoad } from './load.ts'
import { asRole } from './shape-target.ts'
import { keyColumn, type Query, queryOf, quoted, type TableName, type TargetColumn, type TargetTable } from './target.ts'

/** Where rows wait for a decision: beside the target. */
export function quarantineName({ schema, table }: TableName): TableName {
  return { schema, table: `${table.slice(0, 52)}_quarantine` }
}

/**
 * Makes the table beside the target, or the columns that it lacks: those of the target without key, defaults and constraints.
 * @throws DatabaseError when a table of that name has other columns
 */
export async function ensureQuarantine(client: ClientBase, load: TablesLoad, target: TargetTable): Promise<TableName> {
  const name = quarantineName(target.name)
  const wanted = quarantinedColumns(target)
  const present = await presentColumns(queryOf(client), name)
  const columns = wanted
    .filter((column) => !present.includes(column.name))
    .map((column) => `${escapeIdentifier(column.name)} ${column.type}`)
  if (present.length === 0) {
    await asRole(client, load.ownerRole, [
      `create table ${quoted(name)} (\n  ${columns.join(',\n  ')}\n)`,
      `comment on table ${quoted(name)} is ${escapeLiteral(`Rows of quarantined datasets of ${load.target}. Release them: update dba.dataset set state = 'active' where dataset_id = …; drop them: state = 'deleted'.`)}`,
    ])
  } else if (columns.length > 0) {
    await asRole(client, load.ownerRole, [`alter table ${quoted(name)} ${columns.map((column) => `add column ${column}`).join(', ')}`])
  }
  return name
}

/** Takes the rows of the load out of the target again. @returns the table, as `schema.table` */
export async function moveToQuarantine(client: ClientBase, host: LoadHost, load: TablesLoad, target: TargetTable): Promise<string> {
  const name = await ensureQuarantine(client, load, target)
  const columns = quarantinedColumns(target)
    .map((column) => escapeIdentifier(column.name))
    .join(', ')
  await client.query(
    `with moved as (
       delete from ${quoted(target.name)} where ${escapeIdentifier(target.datasetColumn ?? load.datasetColumn)} = $1 returning ${columns}
     )
     insert into ${quoted(name)} (${columns}) select ${columns} from moved`,
    [host.datasetId],
  )
  return `${name.schema}.${name.table}`
}

function quarantinedColumns(target: TargetTable): TargetColumn[] {
  return target.all.filter(
    ({ name, isGenerated }) => !isGenerated && (name !== keyColumn(target.name) || target.columns.writable.includes(name)),
  )
}

async function presentColumns(query: Query, { schema, table }: TableName): Promise<string[]> {
  const rows = await query(
    `select attname::text as name
     from pg_attribute
     where attrelid = to_regclass(format('%I.%I', $1::text, $2::text)) and attnum > 0 and not attisdropped`,
    [schema, table],
  )
  return rows.map(({ name }) => String(name))
}

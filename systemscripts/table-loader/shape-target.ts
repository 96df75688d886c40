import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg'
import { TargetError } from './refusals.ts'
import { keyColumn, quoted, type TableName, type TargetTable } from './target.ts'

export interface Shaping {
  name: TableName
  /** Null: the table is to be made. */
  target: TargetTable | null
  /** Columns to add, all text. */
  added: string[]
  datasetColumn: string
  references: { schema: string; table: string; column: string }
  ownerRole: string
}

/**
 * Makes the target, or the columns it lacks, as the role that owns targets. Key, index and foreign key of what is new are left to
 * `finishTarget`: made once after the rows they cost a fraction, and the table that the foreign key refers to is locked only until the commit.
 *
 * @returns whether there is anything to finish
 * @throws TargetError `schema_not_ours`, `target_not_owned`
 */
export async function shapeTarget(client: ClientBase, shaping: Shaping): Promise<boolean> {
  const { name, target, added, datasetColumn } = shaping
  if (target === null) {
    await makeSchema(client, shaping)
    const columns = [
      `${escapeIdentifier(keyColumn(name))} bigint generated always as identity`,
      `${escapeIdentifier(datasetColumn)} bigint not null`,
      ...added.map((column) => `${escapeIdentifier(column)} text`),
    ]
    await asRole(client, shaping.ownerRole, [`create table ${quoted(name)} (\n  ${columns.join(',\n  ')}\n)`, ...tableComments(shaping)])
    return true
  }
  const additions = [
    ...(target.datasetColumn === null ? [`add column ${escapeIdentifier(datasetColumn)} bigint`] : []),
    ...added.map((column) => `add column ${escapeIdentifier(column)} text`),
  ]
  if (additions.length > 0) await asRole(client, shaping.ownerRole, [`alter table ${quoted(name)} ${additions.join(', ')}`])
  return target.datasetColumn === null
}

/** What `shapeTarget` left for after the rows. */
export async function finishTarget(client: ClientBase, { name, target, datasetColumn, references, ownerRole }: Shaping): Promise<void> {
  const column = escapeIdentifier(datasetColumn)
  const foreignKey = `add foreign key (${column}) references ${quoted(references)} (${escapeIdentifier(references.column)}) on delete restrict`
  const key = target === null ? `add primary key (${escapeIdentifier(keyColumn(name))}), ` : ''
  await asRole(client, ownerRole, [
    `alter table ${quoted(name)} ${key}${foreignKey}`,
    `create index ${escapeIdentifier(`${name.table.slice(0, 52)}_by_dataset`)} on ${quoted(name)} (${column})`,
  ])
}

async function makeSchema(client: ClientBase, { name, ownerRole }: Shaping): Promise<void> {
  const { rows } = await client.query<{ may_create: boolean }>(
    `select has_schema_privilege($2, oid, 'create') and has_schema_privilege($2, oid, 'usage') as may_create from pg_namespace where nspname = $1`,
    [name.schema, ownerRole],
  )
  if (rows[0] === undefined) await asRole(client, ownerRole, [`create schema if not exists ${escapeIdentifier(name.schema)}`])
  else if (!rows[0].may_create) throw schemaNotOurs(name, ownerRole)
}

function tableComments({ name, datasetColumn }: Shaping): string[] {
  const on = (column: string) => `${quoted(name)}.${escapeIdentifier(column)}`
  return [
    `comment on table ${quoted(name)} is ${escapeLiteral('Loaded by Rota: each file is one dataset, see dba.dataset. Columns of the file are text, as they came.')}`,
    `comment on column ${on(keyColumn(name))} is ${escapeLiteral('Number of the row.')}`,
    `comment on column ${on(datasetColumn)} is ${escapeLiteral('The dataset it came with: dba.dataset.')}`,
  ]
}

/** Acts as another role within the transaction, then as before; when a statement fails the transaction has to be rolled back, and the role with it. */
async function asRole(client: ClientBase, role: string, statements: string[]): Promise<void> {
  const { rows } = await client.query<{ before: string }>('select current_user::text as before')
  await client.query(`set local role ${escapeIdentifier(role)}`)
  for (const statement of statements) await client.query(statement)
  await client.query(`set local role ${escapeIdentifier(rows[0]?.before ?? 'none')}`)
}

function schemaNotOurs({ schema }: TableName, ownerRole: string): TargetError {
  return new TargetError('schema_not_ours', `Rota may not create tables in schema "${schema}"`, {
    hint: `grant usage, create on schema ${escapeIdentifier(schema)} to ${ownerRole};`,
  })
}

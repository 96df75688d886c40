/** Whether Rota may do with a target what a load has to do; where not, what a person has to type. */
import { escapeIdentifier } from 'pg'
import { nameList, TargetError } from './refusals.ts'
import { quoted, type TableName, type TargetTable } from './target.ts'

/** What a load changes in a target before its rows come. */
export interface Changes {
  additions: { name: string; type: string }[]
  widened: { name: string; type: string }[]
  /** The target's column for the dataset, where it has none yet. */
  datasetColumn: string
}

/** @throws TargetError `target_not_owned`, `target_not_writable`, `target_has_policies`, `target_is_partition` */
export function requireRights(target: TargetTable, ownerRole: string, changes: Changes): void {
  const added = [...(target.datasetColumn === null ? [{ name: changes.datasetColumn, type: 'bigint' }] : []), ...changes.additions]
  if (target.isPartition && added.length > 0) throw isPartition(target, `It lacks ${nameList(added.map(({ name }) => name))}.`)
  if (!target.isOurs && added.length > 0) throw ofOthers(target, ownerRole, `lacks ${nameList(added.map(({ name }) => name))}`, added)
  if (!target.isOurs && changes.widened.length > 0) {
    throw ofOthers(target, ownerRole, `is too narrow in ${nameList(changes.widened.map(({ name }) => name))}`, [])
  }
  if (!target.isWritable) throw notWritable(target, ownerRole)
  if (target.hasRowSecurity) throw hasPolicies(target, ownerRole)
}

/** For a config that adds columns where files have new ones. @throws TargetError `target_not_owned`, `target_is_partition` */
export function requireOwnership(target: TargetTable, ownerRole: string): void {
  if (target.isPartition) throw isPartition(target, 'It may come to lack columns that files have.')
  if (!target.isOurs) throw ofOthers(target, ownerRole, 'may come to lack columns that files have', [])
}

function isPartition(target: TargetTable, detail: string): TargetError {
  return new TargetError('target_is_partition', `Table "${shown(target.name)}" is a partition, which gets no columns of its own`, {
    detail,
    hint: "Name the table that it is a partition of in target_table of dba.importconfig, or set on_new_column to 'ignore' or 'fail'.",
  })
}

function ofOthers(target: TargetTable, ownerRole: string, what: string, added: { name: string; type: string }[]): TargetError {
  const adding = added.map(({ name, type }) => `add column ${escapeIdentifier(name)} ${type}`).join(', ')
  const itself = added.length === 0 ? '' : ` To keep it: alter table ${quoted(target.name)} ${adding};`
  const { below } = target
  const whose =
    below === null
      ? `Table "${shown(target.name)}" belongs to "${target.owner}"`
      : `Table "${shown(below.name)}" below "${shown(target.name)}" belongs to "${below.owner}"`
  return new TargetError('target_not_owned', `${whose}, so Rota cannot add columns to it or change them`, {
    detail: `${below === null ? 'It' : `"${shown(target.name)}"`} ${what}.${itself}`,
    hint: ownershipFix(below ?? target, ownerRole),
  })
}

/** The statements that hand a table over. */
function ownershipFix({ name }: Pick<TargetTable, 'name'>, ownerRole: string): string {
  return `alter table ${quoted(name)} owner to ${ownerRole}; grant usage, create on schema ${escapeIdentifier(name.schema)} to ${ownerRole};`
}

function notWritable({ name, owner }: TargetTable, ownerRole: string): TargetError {
  return new TargetError('target_not_writable', `Rota may not write to table "${shown(name)}" of "${owner}"`, {
    hint: `grant usage on schema ${escapeIdentifier(name.schema)} to ${ownerRole}; grant select, insert, update, delete on ${quoted(name)} to ${ownerRole};`,
  })
}

/** A load that sees some rows only would add what is there, and leave what it should take out. */
function hasPolicies(target: TargetTable, ownerRole: string): TargetError {
  return new TargetError('target_has_policies', `Row level security of table "${shown(target.name)}" holds for Rota`, {
    detail: 'A load has to see and write all rows.',
    hint: target.isOurs ? `alter table ${quoted(target.name)} no force row level security;` : ownershipFix(target, ownerRole),
  })
}

function shown({ schema, table }: TableName): string {
  return `${schema}.${table}`
}

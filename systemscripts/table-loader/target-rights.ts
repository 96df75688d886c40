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

/** @throws TargetError `target_not_owned`, `target_not_writable`, `target_has_policies` */
export function requireRights(target: TargetTable, ownerRole: string, changes: Changes): void {
  const added = [...(target.datasetColumn === null ? [{ name: changes.datasetColumn, type: 'bigint' }] : []), ...changes.additions]
  if (!target.isOurs && added.length > 0) throw ofOthers(target, ownerRole, `lacks ${nameList(added.map(({ name }) => name))}`, added)
  if (!target.isOurs && changes.widened.length > 0) {
    throw ofOthers(target, ownerRole, `is too narrow in ${nameList(changes.widened.map(({ name }) => name))}`, [])
  }
  if (!target.isWritable) throw notWritable(target, ownerRole)
  if (target.hasRowSecurity) throw hasPolicies(target, ownerRole)
}

/** For a config that adds columns where files have new ones. @throws TargetError `target_not_owned` */
export function requireOwnership(target: TargetTable, ownerRole: string): void {
  if (!target.isOurs) throw ofOthers(target, ownerRole, 'may come to lack columns that files have', [])
}

function ofOthers(target: TargetTable, ownerRole: string, what: string, added: { name: string; type: string }[]): TargetError {
  const adding = added.map(({ name, type }) => `add column ${escapeIdentifier(name)} ${type}`).join(', ')
  const itself = added.length === 0 ? '' : ` To keep it: alter table ${quoted(target.name)} ${adding};`
  return new TargetError(
    'target_not_owned',
    `Table "${shown(target.name)}" belongs to "${target.owner}", so Rota cannot add columns to it or change them`,
    { detail: `It ${what}.${itself}`, hint: ownershipFix(target, ownerRole) },
  )
}

/** The statements that hand a table over. */
function ownershipFix({ name }: TargetTable, ownerRole: string): string {
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

import type { ClientBase } from 'pg'
import { JobError } from '../errors.ts'
import { type Drift, type DriftPolicy, decideDrift } from './drift.ts'
import { TargetError } from './refusals.ts'
import { keyColumn, type Query, quoted, readTarget, refuseTargetOfOthers, type TableName, type TargetTable } from './target.ts'

export interface Meeting {
  name: TableName
  /** Column names of the file. */
  columns: string[]
  fileName: string
  target: string
  policy: DriftPolicy
  datasetColumn: string
  ownerRole: string
}

/** How long a change of the target waits for those who read it; while it waits, whoever comes later waits behind it. */
export const LOCK_SECONDS = 5

/** How long loads of one target wait for each other where one of them changes it. */
const TURN_SECONDS = 600

export interface Agreement {
  target: TargetTable | null
  /** The file's columns by their final names. */
  columns: string[]
  drift: Drift
}

/**
 * Loads of one target go on beside each other; who wants to shape it waits for them, and they for him. He would otherwise stand in Postgres's
 * own queue for the table, with every reader behind him. After the wait he looks again: another load may have done it.
 *
 * @throws those of decideDrift and readTarget; TargetError `target_not_owned`, `target_not_writable`; JobError `target_changed`
 */
export async function agreeOnColumns(client: ClientBase, load: Meeting): Promise<Agreement> {
  const query: Query = async (text, values) => (await client.query<Record<string, unknown>>(text, values)).rows
  const first = await look()
  const isShaping = needsShaping(first.target, first.drift)
  await query(`set local lock_timeout = '${TURN_SECONDS}s'`)
  await query(`select pg_advisory_xact_lock${isShaping ? '' : '_shared'}(hashtextextended($1, 0))`, [`rota loads ${load.target}`])
  await query(`set local lock_timeout = '${LOCK_SECONDS}s'`)
  const agreed = await look()
  if (!isShaping && needsShaping(agreed.target, agreed.drift)) throw targetChanged(load)
  return agreed

  async function look(): Promise<Agreement> {
    const target = await readTarget(query, load.name, load.datasetColumn, load.ownerRole)
    const columns = withoutReserved(load.columns, target?.reserved ?? [keyColumn(load.name), load.datasetColumn])
    const drift = decideDrift(columns, target?.columns ?? null, load.policy, { file: load.fileName, target: load.target })
    if (target !== null) requireRights(target, load.ownerRole, needsShaping(target, drift))
    return { target, columns, drift }
  }
}

/** Whether the table is to be made, or columns to be added. */
export function needsShaping(target: TargetTable | null, drift: Drift): boolean {
  return target === null || target.datasetColumn === null || drift.added.length > 0
}

/** A column of the file that is named as one that Rota keeps is numbered, as a duplicate is. */
function withoutReserved(columns: string[], reserved: string[]): string[] {
  const taken = new Set([...columns, ...reserved])
  return columns.map((column) => {
    if (!reserved.includes(column)) return column
    let number = 2
    while (taken.has(`${column}_${number}`)) number += 1
    taken.add(`${column}_${number}`)
    return `${column}_${number}`
  })
}

/** @throws TargetError `target_not_owned`, `target_not_writable` */
export function requireRights(target: TargetTable, ownerRole: string, isShaping: boolean): void {
  if (isShaping && !target.isOurs) refuseTargetOfOthers(target, ownerRole, 'add columns to it')
  if (!target.isWritable) throw targetNotWritable(target, ownerRole)
}

function targetNotWritable({ name, owner }: TargetTable, ownerRole: string): TargetError {
  return new TargetError('target_not_writable', `Rota may not write to table "${name.schema}.${name.table}" of "${owner}"`, {
    hint: `grant usage on schema ${name.schema} to ${ownerRole}; grant select, insert, update, delete on ${quoted(name)} to ${ownerRole};`,
  })
}

function targetChanged({ target }: Meeting): JobError {
  return new JobError('target_changed', `Table "${target}" was changed while the load began`, { hint: 'Nothing to do: it is tried again.' })
}

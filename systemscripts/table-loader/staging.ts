/** The table in which the rows of a file lie before they are moved: texts as Postgres takes them for the columns that they are for. */
import { type ClientBase, escapeIdentifier } from 'pg'
import type { FormulasMet, LoadHost } from './load.ts'
import type { Meeting, NewColumn } from './meet.ts'
import type { Proposal } from './proposal.ts'
import type { RejectBook } from './rejects.ts'
import { quoted, STAGED_LINE, type TargetTable } from './target.ts'

export interface Staged {
  /** The target as it is. */
  former: TargetTable | null
  /** The target as it will be. */
  target: TargetTable
  /** What it needs first. */
  additions: NewColumn[]
  /** By the number of their rows' table, from 0. */
  meetings: Meeting[]
  /** Of the staging table, in their order: full type and the one to cast to. */
  columns: Map<string, { type: string; baseType: string }>
  rejects: RejectBook
  rowsRead: number
  /** Rows that were left out, dismissed ones included. */
  rowsRefused: number
  /** Rows that gave way to another one of the same key. */
  rowsDoubled: number
  formulas: FormulasMet[]
  proposals: Proposal[]
  /** Why there is nothing to load; null: there is. */
  emptyBecause: string | null
}

/** A query that gives the staged rows as the target will have them: every column of it, those that the file does not fill null. */
export function stagedRows(host: LoadHost, { columns, target }: Staged): string {
  const values = target.all.map(({ name, baseType }) => {
    const value = columns.has(name) ? stagedValue({ columns }, name) : name === 'source_row' ? `s.${STAGED_LINE}` : `null::${baseType}`
    return `${value} as ${escapeIdentifier(name)}`
  })
  return `select ${values.join(', ')} from ${quoted(host.staging)} as s`
}

/** A value of a staged row `s` as its column takes it: of its type, cut and rounded nowhere. */
export function stagedValue({ columns }: Pick<Staged, 'columns'>, column: string): string {
  const { baseType = 'text' } = columns.get(column) ?? {}
  return baseType === 'text' ? `s.${escapeIdentifier(column)}` : `s.${escapeIdentifier(column)}::${baseType}`
}

/** A staged value as it will stand in the target, so that 1.50 and 1.5 of a numeric(9,2) are the same. */
export function stagedKey({ columns }: Pick<Staged, 'columns'>, column: string): string {
  const { type = 'text' } = columns.get(column) ?? {}
  return `s.${escapeIdentifier(column)}${type === 'text' ? '' : `::${type}`}`
}

/** @param ctids places of rows in the staging table */
export async function removeRows(client: ClientBase, host: LoadHost, refused: { ctid: string }[]): Promise<void> {
  if (refused.length === 0) return
  await client.query(`delete from ${quoted(host.staging)} where ctid = any ($1::tid[])`, [refused.map(({ ctid }) => ctid)])
}

export async function dropStaging(client: ClientBase, host: LoadHost): Promise<void> {
  await client.query(`drop table if exists ${quoted(host.staging)}`)
}

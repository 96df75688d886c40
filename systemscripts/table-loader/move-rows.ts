/** From the staging table into the target, by the load's mode. */
import { type ClientBase, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg'
import type { LoadHost, TablesLoad } from './load.ts'
import { baseTypeOf, type Meeting } from './meet.ts'
import { constantColumns, fileNames, linesAreWanted } from './plan.ts'
import { isRowRefusal } from './row-refusal.ts'
import { type Staged, stagedKey, stagedValue } from './staging.ts'
import { EXTRA_COLUMN, quoted, STAGED_LINE, STAGED_TABLE, type TableName } from './target.ts'

export interface MovedRows {
  inserted: number
  updated: number
  refused: RefusedRow[]
}

/** A row that Postgres did not take, by its place in the staging table. */
export interface RefusedRow {
  ctid: string
  /** Null where nobody will be told of it. */
  cause: DatabaseError | null
}

/**
 * Moves all rows that Postgres takes. It is tried with all at once; what is refused is halved until each refused row stands alone.
 * Rows that clash with each other are moved in the order of the file.
 */
export async function moveRows(client: ClientBase, host: LoadHost, load: TablesLoad, staged: Staged): Promise<MovedRows> {
  const statements = staged.meetings.flatMap((meeting, table) =>
    fileNames(meeting).length === 0 ? [] : moveStatements(host, load, staged, meeting, table),
  )
  const moved: MovedRows = { inserted: 0, updated: 0, refused: [] }
  await moveRange('all')
  return moved

  async function moveRange(range: Range): Promise<void> {
    load.signal?.throwIfAborted()
    if (isHopeless()) return
    await client.query('savepoint a_range')
    try {
      const counts = await runAll(client, statements, range)
      moved.inserted += counts.inserted
      moved.updated += counts.updated
      await client.query('release savepoint a_range')
    } catch (error) {
      if (!(error instanceof DatabaseError) || !isRowRefusal(error)) throw error
      await client.query('rollback to savepoint a_range; release savepoint a_range')
      const [alone, ...others] = Array.isArray(range) ? range : []
      if (alone !== undefined && others.length === 0) return refuse({ ctid: alone, cause: error })
      for (const part of await halves(client, host, range)) await moveRange(part)
    }
  }

  function refuse(row: RefusedRow): void {
    moved.refused.push(moved.refused.length < MOST_TOLD_BY_POSTGRES ? row : { ...row, cause: null })
  }

  /** The file fails anyway, and what is said of it has been found. */
  function isHopeless(): boolean {
    return load.maxRejects !== null && moved.refused.length > load.maxRejects && moved.refused.length >= MOST_TOLD_BY_POSTGRES
  }
}

/** Of more than these nobody is told why: each costs questions of its own. */
const MOST_TOLD_BY_POSTGRES = 10_000

/** All staged rows into a table that knows no keys, with the target's columns. */
export async function moveToTable(client: ClientBase, host: LoadHost, load: TablesLoad, staged: Staged, into: TableName): Promise<void> {
  for (const [table, meeting] of staged.meetings.entries()) {
    if (fileNames(meeting).length > 0) await client.query(insertRows(host, load, staged, meeting, table, into))
  }
}

/** Which rows of the staging table: all, those of the blocks from … to (exclusive), or these. */
type Range = 'all' | { from: number; to: number } | string[]

interface Statement {
  sql: (range: Range) => string
  counts: 'inserted' | 'updated' | 'both'
}

async function runAll(client: ClientBase, statements: Statement[], range: Range): Promise<{ inserted: number; updated: number }> {
  const counted = { inserted: 0, updated: 0 }
  for (const { sql, counts } of statements) {
    const { rowCount, rows } = await client.query<{ inserted: string; updated: string }>(sql(range))
    if (counts !== 'both') counted[counts] += rowCount ?? 0
    else {
      counted.inserted += Number(rows[0]?.inserted ?? 0)
      counted.updated += Number(rows[0]?.updated ?? 0)
    }
  }
  return counted
}

function rangeSql(range: Range): string {
  if (range === 'all') return 'true'
  if (Array.isArray(range)) return `s.ctid = any (${escapeLiteral(`{${range.map((ctid) => `"${ctid}"`).join(',')}}`)}::tid[])`
  return `s.ctid >= '(${range.from},0)'::tid and s.ctid < '(${range.to},0)'::tid`
}

async function halves(client: ClientBase, host: LoadHost, range: Range): Promise<Range[]> {
  if (Array.isArray(range)) return [range.slice(0, Math.ceil(range.length / 2)), range.slice(Math.ceil(range.length / 2))]
  const { from, to } = range === 'all' ? { from: 0, to: await blockCount(client, host) } : range
  if (to - from <= 1) return [await placesIn(client, host, { from, to })]
  const middle = Math.floor((from + to) / 2)
  return [
    { from, to: middle },
    { from: middle, to },
  ]
}

async function blockCount(client: ClientBase, host: LoadHost): Promise<number> {
  const { rows } = await client.query<{ blocks: string }>(
    `select (pg_relation_size($1::regclass) / current_setting('block_size')::bigint)::text as blocks`,
    [quoted(host.staging)],
  )
  return Number(rows[0]?.blocks ?? 0)
}

async function placesIn(client: ClientBase, host: LoadHost, range: Range): Promise<string[]> {
  const { rows } = await client.query<{ ctid: string }>(
    `select s.ctid::text as ctid from ${quoted(host.staging)} as s where ${rangeSql(range)} order by s.ctid`,
  )
  return rows.map(({ ctid }) => ctid)
}

/** A join would mix the rows, and whoever reads the table by its key expects them as they came. */
const IN_FILE_ORDER = 'order by s.ctid'

function moveStatements(host: LoadHost, load: TablesLoad, staged: Staged, meeting: Meeting, table: number): Statement[] {
  const insert = (range: Range) => `${insertRows(host, load, staged, meeting, table, staged.target.name)} and ${rangeSql(range)}`
  if (load.mode === 'append_new') {
    const isThere = isThereSql(load, staged, meeting)
    return [{ sql: (range) => `${insert(range)} and not ${isThere} ${IN_FILE_ORDER}`, counts: 'inserted' }]
  }
  if (load.mode !== 'upsert') return [{ sql: insert, counts: 'inserted' }]
  const set = assignments(host, load, staged, meeting)
  if (hasKeyIndex(load, staged)) {
    const onConflict = `on conflict (${load.keyColumns.map(escapeIdentifier).join(', ')}) do update set ${set.map(({ column }) => `${column} = excluded.${column}`).join(', ')}`
    const counted = `select count(*) filter (where is_new) as inserted, count(*) filter (where not is_new) as updated from moved`
    return [{ sql: (range) => `with moved as (${insert(range)} ${onConflict} returning (xmax = 0) as is_new) ${counted}`, counts: 'both' }]
  }
  const update = (range: Range) =>
    `update ${quoted(staged.target.name)} as t set ${set.map(({ column, value }) => `${column} = ${value}`).join(', ')}
     from ${quoted(host.staging)} as s
     where s.${STAGED_TABLE} = ${table} and ${keysMatch(load, staged)} and ${rangeSql(range)}`
  return [
    { sql: update, counts: 'updated' },
    { sql: (range) => `${insert(range)} and not ${isThereSql(load, staged, meeting)} ${IN_FILE_ORDER}`, counts: 'inserted' },
  ]
}

/** Whether the target has the row `s` already: by its key, or, where there is none, by all values of the file. */
export function isThereSql(load: TablesLoad, staged: Staged, meeting: Meeting): string {
  const target = quoted(staged.target.name)
  if (load.keyColumns.length > 0) return `exists (select from ${target} as t where ${keysMatch(load, staged)})`
  const columns = fileNames(meeting)
  const there = columns.map((column) => `t.${escapeIdentifier(column)}`).join(', ')
  const here = columns.map((column) => stagedKey(staged, column)).join(', ')
  return `exists (select from ${target} as t where row(${there})::text = row(${here})::text)`
}

/** The key of the row `t` of the target is that of the row `s`. */
export function keysMatch({ keyColumns }: TablesLoad, staged: Staged): string {
  return keyColumns.map((column) => `t.${escapeIdentifier(column)} = ${stagedKey(staged, column)}`).join(' and ')
}

function hasKeyIndex({ keyColumns }: TablesLoad, { target }: Staged): boolean {
  const wanted = keyColumns.toSorted().join('\0')
  return target.uniqueKeys.some((key) => key.toSorted().join('\0') === wanted)
}

interface Assignment {
  column: string
  value: string
}

function insertRows(host: LoadHost, load: TablesLoad, staged: Staged, meeting: Meeting, table: number, into: TableName): string {
  const values = valuesOf(host, load, staged, meeting)
  const columns = values.map(({ column }) => column).join(', ')
  return `insert into ${quoted(into)} as t (${columns}) overriding system value select ${values.map(({ value }) => value).join(', ')} from ${quoted(host.staging)} as s where s.${STAGED_TABLE} = ${table}`
}

function assignments(host: LoadHost, load: TablesLoad, staged: Staged, meeting: Meeting): Assignment[] {
  const numbered = staged.target.all.filter(({ isAlwaysNumbered }) => isAlwaysNumbered).map(({ name }) => name)
  const kept = [...load.keyColumns, ...numbered].map(escapeIdentifier)
  return valuesOf(host, load, staged, meeting).filter(({ column }) => !kept.includes(column))
}

function valuesOf(host: LoadHost, load: TablesLoad, staged: Staged, meeting: Meeting): Assignment[] {
  const types = new Map(staged.target.all.map(({ name, baseType }) => [name, baseType]))
  const extra = meeting.extra.length > 0 ? [EXTRA_COLUMN] : []
  const constants = constantColumns(load, host, staged.target, meeting).map(({ column, value }) => ({
    column: escapeIdentifier(column),
    value: `${escapeLiteral(value)}::${types.get(column) ?? baseTypeOf('bigint')}`,
  }))
  const line = linesAreWanted(staged.target, meeting) ? [{ column: 'source_row', value: `s.${STAGED_LINE}` }] : []
  const own = [...new Set([...fileNames(meeting), ...extra])]
  return [...own.map((column) => ({ column: escapeIdentifier(column), value: stagedValue(staged, column) })), ...constants, ...line]
}

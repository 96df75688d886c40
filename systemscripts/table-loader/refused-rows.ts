import { type ClientBase, DatabaseError } from 'pg'
import type { RowReject } from '../copy-plan.ts'
import { JobError } from '../errors.ts'
import { headerKeys } from '../reading/header-lines.ts'
import type { LoadHost, TablesLoad } from './load.ts'
import type { Meeting } from './meet.ts'
import type { RefusedRow } from './move-rows.ts'

import { brokenRule, isRowRefusal, refusalInWords } from './row-refusal.ts'
import { type Staged, stagedValue } from './staging.ts'
import { quoted, STAGED_LINE, STAGED_TABLE } from './target.ts'

/**
 * Rows that Postgres did not take, as people read them: with the line, what is wrong, and the row as it came. At most as many as the book has
 * room for; the file is read again for what they looked like.
 */
export async function rejectsOf(
  client: ClientBase,
  host: LoadHost,
  load: TablesLoad,
  staged: Staged,
  refused: RefusedRow[],
): Promise<RowReject[]> {
  const told = refused.slice(0, Math.max(0, staged.rejects.room()))
  if (told.length === 0) return []
  const rows = await stagedOf(client, host, told)
  const raws = await rawRows(load, staged.meetings, rows)
  const rejects: RowReject[] = []
  for (const { ctid, cause } of told) {
    const row = rows.get(ctid)
    if (row === undefined || cause === null) continue
    const [table, line] = [Number(row[STAGED_TABLE]), Number(row[STAGED_LINE])]
    const meeting = staged.meetings[table]
    const column = cause.column ?? (await columnAtFault(client, host, staged, meeting, ctid, cause))
    const raw = raws.get(placeOf(table, line)) ?? rawOfStaged(meeting, row)
    const key = keyOf(meeting, column)
    rejects.push({
      sheet: meeting?.sheet ?? null,
      line,
      column,
      value: key === null ? null : (raw[key] ?? null),
      rule: brokenRule(cause),
      message: refusalInWords(cause),
      raw,
    })
  }
  return rejects
}

/** A staged row by header: what was loaded of it, as it was converted. */
export function rawOfStaged(meeting: Meeting | undefined, row: Record<string, unknown>): Record<string, string | null> {
  if (meeting === undefined) return {}
  const keys = headerKeys(meeting.headers)
  return Object.fromEntries(
    meeting.columns.map(({ index, column }): [string, string | null] => {
      const value = row[column]
      return [keys[index] ?? column, value === null || value === undefined ? null : String(value)]
    }),
  )
}

async function stagedOf(client: ClientBase, host: LoadHost, told: RefusedRow[]): Promise<Map<string, Record<string, unknown>>> {
  const { rows } = await client.query<{ ctid: string; staged: Record<string, unknown> }>(
    `select s.ctid::text as ctid, to_jsonb(s) as staged from ${quoted(host.staging)} as s where s.ctid = any ($1::tid[])`,
    [told.map(({ ctid }) => ctid)],
  )
  return new Map(rows.map(({ ctid, staged }) => [ctid, staged]))
}

/** The rows as they came. A file that cannot be walked so any more gives what it has given until then. */
async function rawRows(
  load: TablesLoad,
  meetings: Meeting[],
  rows: Map<string, Record<string, unknown>>,
): Promise<Map<string, Record<string, string | null>>> {
  const wanted = new Set([...rows.values()].map((row) => placeOf(Number(row[STAGED_TABLE]), Number(row[STAGED_LINE]))))
  const found = new Map<string, Record<string, string | null>>()
  let number = 0
  try {
    for await (const opened of load.open()) {
      const isWider = (meetings[number]?.headers.length ?? 0) > opened.headers.length
      const table = isWider ? await opened.withAllColumns() : opened
      const keys = headerKeys(table.headers)
      for await (const batch of table.rows) {
        for (const { line, values } of batch) {
          const place = placeOf(number, line)
          if (wanted.has(place)) found.set(place, Object.fromEntries(keys.map((key, index) => [key, values[index] ?? null])))
        }
        if (found.size === wanted.size) break
      }
      await table.close()
      if (found.size === wanted.size) break
      number += 1
    }
  } catch (error) {
    if (!(error instanceof JobError)) throw error
  }
  return found
}

/** Postgres names the column for missing values only; for values of a wrong form each is tried alone. */
async function columnAtFault(
  client: ClientBase,
  host: LoadHost,
  staged: Staged,
  meeting: Meeting | undefined,
  ctid: string,
  cause: DatabaseError,
): Promise<string | null> {
  // A domain's CHECK is broken by a value, a table's by a row.
  if (meeting === undefined || (brokenRule(cause) !== 'value_refused' && cause.dataType === undefined)) return null
  for (const { column, baseType, domain } of meeting.columns) {
    if (baseType === 'text' && domain === null) continue
    await client.query('savepoint a_value')
    try {
      await client.query(
        `select ${stagedValue(staged, column)}${domain === null ? '' : `::${domain}`} from ${quoted(host.staging)} as s where s.ctid = $1::tid`,
        [ctid],
      )
    } catch (error) {
      await client.query('rollback to savepoint a_value')
      if (error instanceof DatabaseError && isRowRefusal(error)) return column
      throw error
    } finally {
      await client.query('release savepoint a_value')
    }
  }
  return null
}

function keyOf(meeting: Meeting | undefined, column: string | null): string | null {
  const loaded = meeting?.columns.find((one) => one.column === column)
  return loaded === undefined || meeting === undefined ? null : (headerKeys(meeting.headers)[loaded.index] ?? null)
}

function placeOf(table: number, line: number): string {
  return `${table} ${line}`
}

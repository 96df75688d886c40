import { type ClientBase, escapeIdentifier } from 'pg'
import type { RowReject } from '../copy-plan.ts'
import { PermanentError } from '../errors.ts'
import type { LoadHost, TablesLoad } from './load.ts'

import { nameList } from './refusals.ts'
import { rawOfStaged } from './refused-rows.ts'
import { type Staged, stagedKey } from './staging.ts'
import { quoted, STAGED_LINE, STAGED_TABLE } from './target.ts'

/**
 * For modes that know rows by keys: rows without one are refused, and of those with the same key one stays. Where whole rows are compared, the
 * same row twice is one.
 *
 * @throws PermanentError `key_column_missing`, `duplicate_key`
 */
export async function settleKeys(client: ClientBase, host: LoadHost, load: TablesLoad, staged: Staged): Promise<Staged> {
  if (load.mode !== 'upsert' && load.mode !== 'append_new') return staged
  if (load.keyColumns.length === 0) return { ...staged, rowsDoubled: await dropDoubles(client, host, wholeRow(staged), 'first') }
  requireKeyColumns(load, staged)
  const nameless = await refuseNameless(client, host, load, staged)
  staged.rejects.add(nameless.told, nameless.count)
  const keys = load.keyColumns.map((column) => stagedKey(staged, column))
  if (load.onDuplicateKey === 'fail') await refuseDoubles(client, host, load, keys)
  const rowsDoubled = load.onDuplicateKey === 'fail' ? 0 : await dropDoubles(client, host, keys, load.onDuplicateKey)
  return { ...staged, rowsRefused: staged.rowsRefused + nameless.count, rowsDoubled }
}

/** What is the same for the same rows. */
function wholeRow(staged: Staged): string[] {
  return [`s.${STAGED_TABLE}`, `row(${[...staged.columns.keys()].map((column) => stagedKey(staged, column)).join(', ')})::text`]
}

function requireKeyColumns({ keyColumns, fileName }: TablesLoad, { meetings }: Staged): void {
  for (const { columns, defaults, sheet } of meetings) {
    const present = [...columns, ...defaults].map(({ column }) => column)
    const missing = keyColumns.filter((column) => !present.includes(column))
    if (missing.length === 0) continue
    throw new PermanentError('key_column_missing', `File "${fileName}" lacks ${nameList(missing)} of key_columns`, {
      detail: `${sheet === null ? 'It' : `Sheet "${sheet}"`} has ${nameList(present)}.`,
      hint: 'Correct key_columns in dba.importconfig, by the names that the columns have in the target, or ask the sender for the column.',
    })
  }
}

async function refuseNameless(
  client: ClientBase,
  host: LoadHost,
  load: TablesLoad,
  staged: Staged,
): Promise<{ told: RowReject[]; count: number }> {
  const isNull = load.keyColumns.map((column) => `s.${escapeIdentifier(column)} is null`).join(' or ')
  const { rows } = await client.query<{ staged: Record<string, unknown>; column: string; count: string }>(
    `with gone as (
       delete from ${quoted(host.staging)} as s where ${isNull}
       returning to_jsonb(s) as staged, case ${load.keyColumns.map((column, place) => `when s.${escapeIdentifier(column)} is null then ${place}`).join(' ')} end as place
     )
     select staged, ($1::text[])[place + 1] as column, (count(*) over ())::text as count from gone limit $2`,
    [load.keyColumns, Math.max(0, staged.rejects.room())],
  )
  const told = rows.map(({ staged: row, column }): RowReject => {
    const meeting = staged.meetings[Number(row[STAGED_TABLE])]
    const message = 'a column of the key is empty'
    return {
      sheet: meeting?.sheet ?? null,
      line: Number(row[STAGED_LINE]),
      column,
      value: null,
      rule: 'key_is_empty',
      message,
      raw: rawOfStaged(meeting, row),
    }
  })
  return { told, count: Number(rows[0]?.count ?? 0) }
}

/** @throws PermanentError `duplicate_key` */
async function refuseDoubles(client: ClientBase, host: LoadHost, { keyColumns, fileName }: TablesLoad, keys: string[]): Promise<void> {
  const { rows } = await client.query<{ key: string[]; lines: string[]; doubles: string }>(
    `select array[${keys.map((key) => `(${key})::text`).join(', ')}] as key, (array_agg(${STAGED_LINE}::text order by ctid))[1:5] as lines, (count(*) over ())::text as doubles
     from ${quoted(host.staging)} as s
     group by ${keys.join(', ')}
     having count(*) > 1
     limit 5`,
  )
  const first = rows[0]
  if (first === undefined) return
  throw new PermanentError(
    'duplicate_key',
    `File "${fileName}" has ${first.doubles} key${first.doubles === '1' ? '' : 's'} more than once`,
    {
      detail: rows
        .map(({ key, lines }) => `${keyColumns.map((column, place) => `${column} "${key[place]}"`).join(', ')}: lines ${lines.join(', ')}`)
        .join('\n'),
      hint: `Set on_duplicate_key in dba.importconfig to 'last' or 'first' when one of the rows counts, or correct key_columns.`,
    },
  )
}

/** Rows lie in the order of the file. @returns how many left */
async function dropDoubles(client: ClientBase, host: LoadHost, keys: string[], kept: 'first' | 'last'): Promise<number> {
  const { rowCount } = await client.query(
    `delete from ${quoted(host.staging)} as d
     using (
       select s.ctid as place, ${kept === 'last' ? 'max' : 'min'}(s.ctid) over (partition by ${keys.join(', ')}) as kept
       from ${quoted(host.staging)} as s
     ) as ranked
     where d.ctid = ranked.place and ranked.place <> ranked.kept`,
  )
  return rowCount ?? 0
}

import { type ClientBase, escapeIdentifier } from 'pg'
import type { LoadHost, Sample, TablesLoad } from './load.ts'
import { isThereSql, keysMatch } from './move-rows.ts'
import { fileNames } from './plan.ts'
import { type Staged, stagedValue } from './staging.ts'
import { quoted, STAGED_LINE, STAGED_TABLE } from './target.ts'

/** So many of each kind are shown. */
const SAMPLES = 20

/** The first rows that would be inserted, updated and skipped, before any has been moved. */
export async function findSamples(client: ClientBase, host: LoadHost, load: TablesLoad, staged: Staged): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const [table, meeting] of staged.meetings.entries()) {
    if (fileNames(meeting).length === 0) continue
    // A target that the load makes is there by now, so that it can be asked.
    const isThere = load.mode === 'upsert' || load.mode === 'append_new' ? isThereSql(load, staged, meeting) : 'false'
    const kinds: [Sample['kind'], string][] = [
      ['insert', `not ${isThere}`],
      ...(load.mode === 'upsert'
        ? [['update', isThere] satisfies [Sample['kind'], string]]
        : load.mode === 'append_new'
          ? [['skip', isThere] satisfies [Sample['kind'], string]]
          : []),
    ]
    const data = fileNames(meeting).map((column) => `${stagedValue(staged, column)} as ${escapeIdentifier(column)}`)
    for (const [kind, condition] of kinds) {
      const former =
        kind === 'update'
          ? `(select to_jsonb(t) from ${quoted(staged.target.name)} as t where ${keysMatch(load, staged)} limit 1)`
          : 'null::jsonb'
      const room = SAMPLES - samples.filter((sample) => sample.kind === kind).length
      if (room === 0) continue
      const { rows } = await client.query<{ line: string; data: Record<string, unknown>; former: Record<string, unknown> | null }>(
        `select s.${STAGED_LINE}::text as line, (select to_jsonb(d) from (select ${data.join(', ')}) as d) as data, ${former} as former
         from ${quoted(host.staging)} as s
         where s.${STAGED_TABLE} = ${table} and ${condition}
         order by s.ctid
         limit ${room}`,
      )
      samples.push(...rows.map((row) => ({ kind, sheet: meeting.sheet, line: Number(row.line), data: row.data, former: row.former })))
    }
  }
  return samples
}

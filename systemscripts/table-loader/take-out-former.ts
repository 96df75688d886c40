import { type ClientBase, escapeIdentifier } from 'pg'
import type { EndFormer, LoadHost, TablesLoad } from './load.ts'
import { quoted, type TargetTable } from './target.ts'

/**
 * The rows that these take the place of leave: by `replace` all others, by dataset as the books have them. Readers see them until the commit.
 * @returns how many left
 */
export async function takeOutFormer(
  client: ClientBase,
  host: LoadHost,
  load: TablesLoad,
  target: TargetTable,
  endFormer: EndFormer,
): Promise<number> {
  if (load.mode !== 'replace') return await endFormer()
  const column = escapeIdentifier(target.datasetColumn ?? load.datasetColumn)
  const { rowCount } = await client.query(`delete from ${quoted(target.name)} where ${column} is distinct from $1`, [host.datasetId])
  await endFormer()
  return rowCount ?? 0
}

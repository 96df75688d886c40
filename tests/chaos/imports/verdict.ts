/** What must hold when a storm over imports has settled. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import { hashFile } from '../../../systemscripts/hash-file.ts'
import { filesBelow } from './folders.ts'
import type { SentFile } from './sender.ts'

/** Every violation in words; empty when all laws held. */
export async function findViolations(client: Client, dataDir: string, sent: SentFile[]): Promise<string[]> {
  return [
    ...(await brokenLaws(client)),
    ...(await unlikeSent(client, sent)),
    ...(await unlikeRows(client, sent)),
    ...(await unlikeDisk(client, dataDir, sent)),
  ]
}

const laws: Record<string, string> = {
  'every run has ended': `select format('"%s" %s: %s %s', schedule_name, fire_key, state, reason) as what from dba.run where state in ('planned', 'waiting', 'queued', 'running')`,
  'every attempt has ended': `select format('%s, attempt %s', run_id, attempt) as what from dba.attempt where outcome is null`,
  'only bad files fail a run': `
    select format('%s failed with %s: %s %s', schedule_name, error_code, error_message, error_detail) as what
    from dba.run where state in ('failed', 'cancelled', 'missed') and error_code not in ('files_failed', 'file_is_pdf')`,
  'no file is left half way': `select format('file %s "%s" is %s', file_id, path, state) as what from dba.file where state in ('loading', 'retry') or kept_at is null`,
  'no dataset is left half way': `select format('dataset %s of file %s', dataset_id, file_id) as what from dba.dataset where state = 'new'`,
  'no staging table is left': `select tablename as what from pg_tables where schemaname = 'rota_staging'`,
  'a failed file says why': `select format('file %s', file_id) as what from dba.file where state in ('failed', 'duplicate') and coalesce(reason, '') = ''`,
  'a loaded file has one dataset in force, or one that another took the place of': `
    select format('file %s: %s', f.file_id, string_agg(d.state, ', ')) as what
    from dba.file f left join dba.dataset d on d.file_id = f.file_id
    where f.state = 'loaded'
    group by f.file_id
    having count(*) filter (where d.state in ('active', 'empty')) + least(count(*) filter (where d.state = 'superseded'), 1) < 1
      or count(*) filter (where d.state = 'active') > 1`,
}

async function brokenLaws(client: Client): Promise<string[]> {
  const found: string[] = []
  for (const [law, text] of Object.entries(laws)) {
    const { rows } = await client.query<{ what: string }>(text)
    for (const row of rows.slice(0, 8)) found.push(`${law}: ${row.what}`)
    if (rows.length > 8) found.push(`${law}: ${rows.length - 8} more`)
  }
  return found
}

/** Each distinct good file is loaded once, its copies are duplicates, each bad one has failed. */
async function unlikeSent(client: Client, sent: SentFile[]): Promise<string[]> {
  const { rows } = await client.query<{ sha256: string; states: string[] }>(
    `select sha256, array_agg(state order by state desc) as states from dba.file group by sha256`,
  )
  const states = new Map(rows.map((row) => [row.sha256, row.states.join(' ')]))
  const found: string[] = []
  for (const { feed, names, sha256, isGood, isReplaced } of sent) {
    const good = ['loaded', ...names.slice(1).map(() => 'duplicate')].join(' ')
    const expected = isGood ? good : names.map(() => 'failed').join(' ')
    const seen = states.get(sha256)
    states.delete(sha256)
    if (seen === expected || (isReplaced && seen === undefined)) continue
    found.push(`a file is loaded once: ${feed.name}/${names.join(', ')} is ${seen ?? 'unknown'} instead of ${expected}`)
  }
  for (const [sha256, seen] of states) found.push(`only what was sent is known: ${sha256} is ${seen}`)
  return found
}

/** The rows of each feed are those of its loaded files, each once. */
async function unlikeRows(client: Client, sent: SentFile[]): Promise<string[]> {
  const found: string[] = []
  const { rows: loaded } = await client.query<{ sha256: string }>(`select sha256 from dba.file where state = 'loaded'`)
  const known = new Set(loaded.map(({ sha256 }) => sha256))
  const files = sent.filter(({ isGood, sha256 }) => isGood && known.has(sha256))
  for (const feed of new Set(sent.map((file) => file.feed))) {
    const ofFeed = files.filter((file) => file.feed === feed)
    if (ofFeed.length === 0) continue
    const { rows } = await client.query<{ token: string; rows: string }>(
      `select token, count(*) as rows from storm.${client.escapeIdentifier(feed.name)} group by token`,
    )
    const counts = new Map(rows.map((row) => [row.token, Number(row.rows)]))
    for (const file of ofFeed) {
      const seen = counts.get(file.token) ?? 0
      counts.delete(file.token)
      const isRight =
        feed.rows === 'own' ? seen === file.rows : feed.rows === 'labelled' ? seen === 0 || seen === file.rows : seen <= file.rows
      if (!isRight) found.push(`each row of a loaded file is there once: ${feed.name}/${file.names[0]} has ${seen} of ${file.rows}`)
    }
    for (const [token, count] of counts) found.push(`no rows but those of loaded files: ${feed.name} has ${count} of ${token}`)
    if (feed.rows === 'keyed') found.push(...(await unlikeKeys(client, feed.name, ofFeed)))
  }
  const { rows: totals } = await client.query<{ what: string }>(`
    select format('"%s" of %s: %s refused rows, dba.reject has %s', f.file_name, f.config_name, d.rows_rejected, count(r.*)) as what
    from dba.file f join dba.dataset d on d.dataset_id = f.dataset_id left join dba.reject r on r.file_id = f.file_id and r.state = 'open'
    where f.state = 'loaded'
    group by f.file_id, d.dataset_id having count(r.*) <> d.rows_rejected`)
  return [...found, ...totals.map(({ what }) => `refused rows are kept: ${what}`)]
}

/** Files share keys: the table has those of all of them, each once. */
async function unlikeKeys(client: Client, table: string, files: SentFile[]): Promise<string[]> {
  const { rows } = await client.query<{ key: string }>(`select key from storm.${client.escapeIdentifier(table)}`)
  const expected = new Set(files.flatMap(({ firstKey, rows: count }) => Array.from({ length: count }, (_, row) => `key ${firstKey + row}`)))
  const there = new Set(rows.map(({ key }) => key))
  if (rows.length === there.size && there.size === expected.size && [...expected].every((key) => there.has(key))) return []
  return [`a key stands once: ${table} has ${rows.length} rows of ${there.size} keys; its files had ${expected.size}`]
}

/** What the ledger says is kept is there with its bytes; whatever is there the ledger knows; nothing is left in the folders. */
async function unlikeDisk(client: Client, dataDir: string, sent: SentFile[]): Promise<string[]> {
  const found: string[] = []
  const known = new Set<string>()
  const replaced = new Set(sent.filter(({ isReplaced }) => isReplaced).map(({ sha256 }) => sha256))
  const { rows } = await client.query<{
    file_id: number
    state: string
    kept_path: string | null
    sha256: string
    csv_paths: string[] | null
  }>('select file_id, state, kept_path, sha256, csv_paths from dba.file')
  for (const { file_id: fileId, state, kept_path: keptPath, sha256, csv_paths: csvPaths } of rows) {
    if (keptPath === null) {
      // Its sender took the bytes away after they were loaded.
      if (!replaced.has(sha256)) found.push(`the ledger says where a file is kept: file ${fileId}, ${state}`)
      continue
    }
    if (known.has(keptPath)) found.push(`a kept file is one file: ${keptPath}`)
    const kept = await hashFile(keptPath).catch(() => null)
    if (kept?.sha256 !== sha256)
      found.push(`a kept file has its bytes: file ${fileId}, ${state}, ${keptPath} ${kept === null ? 'is not there' : 'has others'}`)
    if (keptPath.includes('/failed/') !== (state === 'failed'))
      found.push(`failed files are kept apart: file ${fileId} is ${state} in ${keptPath}`)
    const beside = [...(csvPaths ?? []), ...(state === 'failed' ? [`${keptPath}.reason.txt`] : [])]
    if (state === 'loaded' && keptPath.includes('/staged_books/') && beside.length !== 1) found.push(`a CSV is kept: file ${fileId}`)
    for (const path of [keptPath, ...beside]) known.add(path)
    for (const path of beside) if (!(await isThere(path))) found.push(`what stands beside a kept file is there: ${path}`)
  }
  for (const folder of ['archive', 'failed'])
    for (const path of await filesBelow(join(dataDir, folder))) if (!known.has(path)) found.push(`the ledger knows what is kept: ${path}`)
  for (const path of await filesBelow(join(dataDir, 'inbox'))) found.push(`nothing is left in the folders: ${path}`)
  return found
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

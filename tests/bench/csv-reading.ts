/**
 * A CSV of 1,000,000 rows and 12 columns through the reading thread: by itself, with half of its columns converted, and into a plain table beside the
 * same file sent raw by COPY in the same run.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { CopyPlan } from '../../systemscripts/copy-plan.ts'
import { readTable } from '../../systemscripts/read-table.ts'
import type { Bench } from './bench-server.ts'

const rows = 1_000_000
const rounds = 3
const names = ['id', 'name', 'town', 'price', 'pieces', 'day', 'at', 'code', 'note', 'comment', 'flag', 'ref']
const types = ['integer', null, null, 'numeric(12,2)', 'smallint', 'date', 'timestamp without time zone', null, null, null, 'boolean', null]

export const csvReading: Bench = async (server, say) => {
  const folder = await mkdtemp(join(tmpdir(), 'rota-bench-'))
  const path = join(folder, 'rows.csv')
  try {
    await writeFile(path, csvText())
    const { size } = await stat(path)
    say(`reading: ${rows} rows, ${Math.round(size / 1e6)} MB`)
    const { url } = await server.empty()
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(`create table plain (dataset_id text, ${names.map((name) => `${name} text`).join(', ')})`)
    const seconds: Record<string, number[]> = { thread: [], typed: [], raw: [], engine: [] }
    let longest = 0
    await time(() =>
      walk(
        path,
        planOf(() => null),
      ),
    )
    for (let round = 0; round < rounds; round += 1) {
      // A new one each time: it would count the time between two uses.
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      seconds.thread?.push(
        await time(() =>
          walk(
            path,
            planOf(() => null),
          ),
        ),
      )
      seconds.typed?.push(
        await time(() =>
          walk(
            path,
            planOf((index) => types[index] ?? null),
          ),
        ),
      )
      delay.disable()
      longest = Math.max(longest, delay.max / 1e6)
      await client.query('truncate plain')
      seconds.raw?.push(await time(() => pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), client.query(copyFrom(rawCopy)))))
      await client.query('truncate plain')
      seconds.engine?.push(await time(() => copyThrough(path, client)))
      say(
        `reading: round ${round + 1}: ${Object.entries(seconds)
          .map(([what, all]) => `${what} ${(all.at(-1) ?? 0).toFixed(2)} s`)
          .join(', ')}`,
      )
    }
    await client.end()
    const [thread = 0, typed = 0, raw = 0, engine = 0] = Object.values(seconds).map((all) => Math.min(...all))
    return [
      { what: `CSV of ${rows} rows × 12 through the reading thread, as bytes for COPY`, value: `${thread.toFixed(2)} s` },
      { what: 'the same with six columns converted', value: `${typed.toFixed(2)} s` },
      { what: 'longest that the caller’s event loop was held up by either', value: `${longest.toFixed(0)} ms` },
      { what: 'the file sent raw by COPY into a plain table', value: `${raw.toFixed(2)} s` },
      { what: 'the same through the reading thread', value: `${engine.toFixed(2)} s`, ratio: `${(engine / raw).toFixed(2)} × raw COPY` },
      { what: 'peak memory of the process', value: `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB` },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const rawCopy = `copy plain (${names.join(', ')}) from stdin with (format csv, header)`

function* csvText(): Generator<string> {
  let text = `${names.join(',')}\n`
  for (let row = 0; row < rows; row += 1) {
    const note = row % 50 === 0 ? `"he said ""no"", row ${row}"` : row % 97 === 0 ? `"two\nlines ${row}"` : `note number ${row}`
    const day = `2024-0${1 + (row % 9)}-1${row % 10}`
    text += `${row},Name of ${row},${row % 3 ? 'Graz' : 'Łódź'},${((row * 7) % 100_000) / 100},${row % 13},${day},${day} 07:08:0${row % 10},`
    text += `00${row % 1000},${note},${row % 4 ? 'some longer comment text here' : ''},${row % 2 ? 'true' : 'false'},REF-${1_000_000 + row}\n`
    if (text.length < 1024 * 1024) continue
    yield text
    text = ''
  }
  yield text
}

function planOf(typeOf: (index: number) => string | null): CopyPlan {
  const columns: CopyPlan['columns'] = names.map((column, index) => {
    const type = typeOf(index)
    const rest = { format: null, isRequired: false, defaultValue: null, nullTokens: [], transform: null, sourceZone: 'UTC' }
    return { from: 'file', index, rule: type === null ? null : { column, type, ...rest } }
  })
  return { columns: [{ from: 'constant', value: '17' }, ...columns], output: 'copy', emptyWhen: null, toldRejects: 0, corrections: [] }
}

async function walk(path: string, plan: CopyPlan): Promise<void> {
  const { pieces } = await (await readTable(path)).copy(plan)
  let written = 0
  for await (const { rowsWritten } of pieces) written += rowsWritten
  if (written !== rows) throw new Error(`${written} rows were written`)
}

async function copyThrough(path: string, client: Client): Promise<void> {
  const { pieces } = await (await readTable(path)).copy(planOf(() => null))
  const bytes = Readable.from(
    (async function* () {
      for await (const piece of pieces) yield Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength)
    })(),
    { highWaterMark: 1 },
  )
  await pipeline(bytes, client.query(copyFrom(`copy plain from stdin with (format text)`)))
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}

/**
 * A CSV of 1,000,000 rows × 12 columns through the whole engine (request, claim, hash, ledger, load, dataset, archive), beside `psql \copy` of
 * an equal file into a plain table, pandas (read_csv, to_sql) and csvkit (csvsql --insert); those two on fewer rows, per row. In turns on the
 * same server. Also how late the worker's event loop was at most.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { eventually } from '../helpers/engine.ts'
import { type Bench, type BenchDatabase, type Measurement, quantile, startBenchWorker } from './bench-server.ts'
import { csvColumns, csvTypes, writeCsv } from './csv-file.ts'

const rows = 1_000_000
const rounds = 3
const pandasRows = 100_000
const csvsqlRows = 5_000

export const csvImport: Bench = async (server, say) => {
  const database = await server.migrated()
  const plain = await server.empty()
  const bench = await startEngine(database)
  const seconds: Record<'psql' | 'text' | 'typed', number[]> = { psql: [], text: [], typed: [] }
  let latest = 0
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const psql = await timePsql(plain, database.dataDir, round)
      const text = await bench.load('text', round)
      const typed = await bench.load('typed', round)
      latest = Math.max(latest, text.latest, typed.latest)
      say(
        `csv: psql ${psql.toFixed(2)} s, text ${text.seconds.toFixed(2)} s, typed ${typed.seconds.toFixed(2)} s${round === 0 ? ' (warming up)' : ''}`,
      )
      if (round === 0) continue
      seconds.psql.push(psql)
      seconds.text.push(text.seconds)
      seconds.typed.push(typed.seconds)
    }
    const [psql, text, typed] = [quantile(seconds.psql, 0.5), quantile(seconds.text, 0.5), quantile(seconds.typed, 0.5)]
    const figures: Measurement[] = [
      { what: `psql \\copy, ${rows} rows × ${csvColumns.length}`, value: `${psql.toFixed(2)} s` },
      { what: 'the engine, all columns text', value: `${text.toFixed(2)} s`, ratio: `${(text / psql).toFixed(2)} × psql` },
      {
        what: 'the engine, 7 columns typed, rows may be refused',
        value: `${typed.toFixed(2)} s`,
        ratio: `${(typed / psql).toFixed(2)} × psql`,
      },
      { what: 'event loop of the worker late by at most', value: `${latest.toFixed(0)} ms` },
    ]
    for (const [name, peer] of [
      ['pandas read_csv + to_sql', await timePandas(plain, database.dataDir, say)],
      ['csvsql --insert', await timeCsvsql(plain, database.dataDir, say)],
    ] as const) {
      if (peer === null) continue
      const whole = peer * rows
      figures.push({
        what: `${name}, for as many rows`,
        value: `${whole.toFixed(0)} s`,
        ratio: `the engine is ${(whole / text).toFixed(0)} × as fast`,
      })
    }
    return figures
  } finally {
    await bench.stop()
  }
}

interface Engine {
  /** Seconds from the request to the end of the run, and by how many milliseconds the event loop was late at most meanwhile. */
  load(kind: 'text' | 'typed', round: number): Promise<{ seconds: number; latest: number }>
  stop(): Promise<void>
}

async function startEngine(database: BenchDatabase): Promise<Engine> {
  const { pool, dataDir } = database
  for (const kind of ['text', 'typed']) {
    mkdirSync(join(dataDir, 'inbox', kind), { recursive: true })
    await pool.query(
      `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, settle, max_rejects)
       values ($1, $2, '*.csv', 'bench.' || $1, '0', case when $1 = 'typed' then null else 0 end)`,
      [kind, join(dataDir, 'inbox', kind)],
    )
    await pool.query(`insert into dba.scheduler (schedule_name, job, config_name) values ($1, 'import', $1)`, [kind])
  }
  for (const [column, type] of Object.entries(csvTypes)) {
    await pool.query(`insert into dba.importcolumn (config_name, column_name, type) values ('typed', $1, $2)`, [column, type])
  }
  const worker = await startBenchWorker(database, 2)
  return {
    async load(kind, round) {
      const made = join(dataDir, `${kind}-${round}.csv`)
      await writeCsv(made, rows, round * 2 + (kind === 'text' ? 1 : 2))
      await pool.query(`drop table if exists bench.${kind}`)
      await pool.query('checkpoint')
      await rename(made, join(dataDir, 'inbox', kind, `${kind}-${round}.csv`))
      // A new one each time: it would count the time between two uses.
      const lateness = monitorEventLoopDelay({ resolution: 10 })
      lateness.enable()
      const begun = performance.now()
      const { rows: asked } = await pool.query<{ run_id: string }>(`insert into dba.run (schedule_name) values ($1) returning run_id`, [
        kind,
      ])
      const ended = await eventually(
        async () =>
          (
            await pool.query(`select state, rows_written, error_message from dba.run where run_id = $1 and finished_at is not null`, [
              asked[0]?.run_id,
            ])
          ).rows,
        undefined,
        300,
      )
      const seconds = (performance.now() - begun) / 1000
      lateness.disable()
      if (Number(ended[0]?.rows_written) !== rows) throw new Error(`the load went otherwise: ${JSON.stringify(ended[0])}`)
      await rm(join(dataDir, 'archive'), { recursive: true, force: true })
      return { seconds, latest: lateness.max / 1e6 }
    },
    stop: () => worker.stop(0),
  }
}

async function timePsql({ pool, url }: BenchDatabase, dataDir: string, round: number): Promise<number> {
  const path = join(dataDir, 'psql.csv')
  await writeCsv(path, rows, 1000 + round)
  await pool.query('drop table if exists plain')
  await pool.query(`create table plain (${csvColumns.map((column) => `${column} text`).join(', ')})`)
  await pool.query('checkpoint')
  const begun = performance.now()
  await command('psql', ['-X', '-q', '-d', url, '-c', `\\copy plain from '${path}' csv header`])
  const seconds = (performance.now() - begun) / 1000
  await rm(path)
  return seconds
}

/** Seconds a row; null where it is not installed. */
async function timePandas({ url }: BenchDatabase, dataDir: string, say: (line: string) => void): Promise<number | null> {
  if (!has('/usr/bin/python3', ['-c', 'import pandas, sqlalchemy, psycopg2'])) {
    say('pandas is left out: it needs the Debian packages python3-pandas, python3-sqlalchemy and python3-psycopg2')
    return null
  }
  const path = join(dataDir, 'pandas.csv')
  await writeCsv(path, pandasRows, 1)
  const program = `
import sys, time, pandas, sqlalchemy
begun = time.time()
frame = pandas.read_csv(sys.argv[1], dtype=str)
frame.to_sql('by_pandas', sqlalchemy.create_engine(sys.argv[2].replace('postgres://', 'postgresql://')), index=False, if_exists='replace')
print(time.time() - begun)`
  const seconds = Number(execFileSync('/usr/bin/python3', ['-W', 'ignore', '-c', program, path, url], { encoding: 'utf8' }))
  await rm(path)
  return seconds / pandasRows
}

/** Seconds a row; null where it is not installed. */
async function timeCsvsql({ url }: BenchDatabase, dataDir: string, say: (line: string) => void): Promise<number | null> {
  if (!has('csvsql', ['--version'])) {
    say('csvsql is left out: it needs the Debian package csvkit')
    return null
  }
  const path = join(dataDir, 'csvsql.csv')
  await writeCsv(path, csvsqlRows, 1)
  await stat(path)
  const begun = performance.now()
  await command('csvsql', ['--db', url.replace('postgres://', 'postgresql://'), '--insert', '--overwrite', '--tables', 'by_csvsql', path])
  const seconds = (performance.now() - begun) / 1000
  await rm(path)
  return seconds / csvsqlRows
}

function has(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function command(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}

/** Other ways to bring a CSV into a plain table of texts: psql \\copy, pandas (read_csv, to_sql), csvkit (csvsql --insert). */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchDatabase } from './bench-server.ts'
import { csvColumns, writeCsv } from './csv-file.ts'

export interface Peer {
  name: string
  /** It is slow, so fewer rows are enough to tell how slow. */
  rows: number
  /** Makes the table and the file, whose bytes differ from round to round. */
  prepare(round: number): Promise<void>
  /** @returns seconds, where only a part of it is to be counted */
  load(): Promise<number | null>
}

/** Those that are installed. */
export function csvPeers({ pool, url, dataDir }: BenchDatabase, say: (line: string) => void): Peer[] {
  const path = join(dataDir, 'peer.csv')
  const file = async (rows: number, round: number) => {
    await rm(path, { force: true })
    await writeCsv(path, rows, 1000 + round)
  }
  const psql: Peer = {
    name: 'psql \\copy into a plain table',
    rows: 1_000_000,
    async prepare(round) {
      await file(psql.rows, round)
      await pool.query('drop table if exists plain')
      await pool.query(`create table plain (${csvColumns.map((column) => `${column} text`).join(', ')})`)
    },
    async load() {
      await command('psql', ['-X', '-q', '-d', url, '-c', `\\copy plain from '${path}' csv header`])
      return null
    },
  }
  const address = url.replace('postgres://', 'postgresql://')
  const pandas: Peer = {
    name: 'pandas read_csv + to_sql',
    rows: 100_000,
    prepare: (round) => file(pandas.rows, round),
    load: async () => Number(execFileSync('/usr/bin/python3', ['-W', 'ignore', '-c', pandasProgram, path, address], { encoding: 'utf8' })),
  }
  const csvsql: Peer = {
    name: 'csvsql --insert',
    rows: 5_000,
    prepare: (round) => file(csvsql.rows, round),
    async load() {
      await command('csvsql', ['--db', address, '--insert', '--overwrite', '--tables', 'by_csvsql', path])
      return null
    },
  }
  const peers = [psql]
  if (has('/usr/bin/python3', ['-c', 'import pandas, sqlalchemy, psycopg2'])) peers.push(pandas)
  else say('pandas is left out: it needs the Debian packages python3-pandas, python3-sqlalchemy and python3-psycopg2')
  if (has('csvsql', ['--version'])) peers.push(csvsql)
  else say('csvsql is left out: it needs the Debian package csvkit')
  return peers
}

/** Its imports do not count. */
const pandasProgram = `
import sys, time, pandas, sqlalchemy
begun = time.time()
frame = pandas.read_csv(sys.argv[1], dtype=str)
frame.to_sql('by_pandas', sqlalchemy.create_engine(sys.argv[2]), index=False, if_exists='replace')
print(time.time() - begun)`

function has(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function command(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (part: Buffer) => {
    said += part.toString()
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`)
}

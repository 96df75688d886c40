import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { eventually } from '../helpers/engine.ts'

const programs = '/usr/lib/postgresql/15/bin'

/**
 * Seconds from the minute at which so many rows of pg_cron fire until all have started: on a PostgreSQL 15 of the system, with fsync, and 32
 * runs at once. Null, with the reason said, where it cannot be tried.
 */
export async function measurePgCron(rows: number, say: (line: string) => void): Promise<number | null> {
  if (!existsSync('/usr/lib/postgresql/15/lib/pg_cron.so') || process.getuid?.() !== 0) {
    say('pg_cron is left out: it needs root and the Debian package postgresql-15-cron')
    return null
  }
  const folder = mkdtempSync(join(tmpdir(), 'rota-pg-cron-'))
  const { server, port } = await startServer(folder)
  const pool = new Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max: 2 })
  pool.on('error', () => undefined)
  try {
    const query = async (text: string, values?: unknown[]): Promise<Record<string, unknown>[]> => (await pool.query(text, values)).rows
    await eventually(() => query('select 1').catch(() => []))
    await query('create extension pg_cron')
    await query(`select cron.schedule('job ' || n, '* * * * *', 'select 1') from generate_series(1, $1) n`, [rows])
    const firstRuns = `select distinct on (jobid) * from cron.job_run_details where start_time is not null order by jobid, runid`
    await eventually(() => query(`select from (${firstRuns}) r having count(*) >= $1`, [rows]), undefined, 200)
    const [found] = await query(
      `select extract(epoch from max(start_time) - date_trunc('minute', min(start_time)))::float8 as seconds from (${firstRuns}) r`,
    )
    return Number(found?.seconds)
  } finally {
    await pool.end()
    const ended = once(server, 'exit')
    server.kill('SIGINT')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startServer(folder: string): Promise<{ server: ChildProcess; port: number }> {
  const user = { uid: idOf('-u'), gid: idOf('-g') }
  chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(`${programs}/initdb`, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    ...user,
    cwd: '/',
    stdio: 'ignore',
  })
  const port = await freePort()
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'shared_preload_libraries=pg_cron',
    'cron.use_background_workers=on',
    'cron.max_running_jobs=32',
    'max_worker_processes=48',
  ]
  const flags = settings.flatMap((setting) => ['-c', setting])
  return { server: spawn(`${programs}/postgres`, ['-D', data, '-p', String(port), ...flags], { ...user, cwd: '/', stdio: 'ignore' }), port }
}

function idOf(which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { eventually } from '../helpers/engine.ts'

const home = '/usr/lib/postgresql/15'

/**
 * Seconds from the minute at which so many rows of pg_cron fire until all have started, on a PostgreSQL 15 of the system with fsync and as many
 * background workers as pg_cron has runs at once; null, with the reason said, where it cannot be tried.
 */
export async function measurePgCron(rows: number, say: (line: string) => void): Promise<number | null> {
  if (!existsSync(`${home}/lib/pg_cron.so`) || process.getuid?.() !== 0) {
    say('burst: pg_cron is left out: it needs root and the Debian package postgresql-15-cron')
    return null
  }
  const folder = mkdtempSync(join(tmpdir(), 'rota-pg-cron-'))
  execFileSync('chown', ['postgres', folder])
  const server = await startServer(folder)
  const client = new Client({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres' })
  try {
    await eventually(
      async () =>
        await client.connect().then(
          () => [{}],
          () => [],
        ),
    )
    await client.query('create extension pg_cron')
    await client.query(`select cron.schedule('job ' || n, '* * * * *', 'select 1') from generate_series(1, $1) n`, [rows])
    await eventually(
      async () => (await client.query(`select count(*)::integer as done from cron.job_run_details where status = 'succeeded'`)).rows,
      ([row]) => row?.done >= rows,
      180,
    )
    const { rows: found } = await client.query<{ seconds: number }>(
      `select extract(epoch from max(start_time) - date_trunc('minute', min(start_time)))::float8 as seconds
       from (select distinct on (jobid) * from cron.job_run_details order by jobid, runid) first_runs`,
    )
    return found[0]?.seconds ?? null
  } finally {
    await client.end().catch(() => undefined)
    server.process.kill('SIGINT')
    await new Promise((resolve) => server.process.once('exit', resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startServer(folder: string): Promise<{ process: ChildProcess; port: number }> {
  const port = await freePort()
  const asPostgres = ['-u', 'postgres', '--']
  execFileSync('runuser', [...asPostgres, `${home}/bin/initdb`, '-D', `${folder}/data`, '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    cwd: '/',
    stdio: 'ignore',
  })
  const settings = [
    'shared_preload_libraries=pg_cron',
    'cron.use_background_workers=on',
    'max_worker_processes=40',
    'cron.max_running_jobs=32',
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'cron.log_statement=off',
  ]
  const child = spawn(
    'runuser',
    [...asPostgres, `${home}/bin/postgres`, '-D', `${folder}/data`, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { cwd: '/', stdio: 'ignore' },
  )
  return { process: child, port }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}

/** Kills workers at random while schedules fire every second, then lets it all settle and judges what stands in the ledger. */
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { startFleet } from './fleet.ts'
import { insertSchedules } from './schedules.ts'
import { findViolations } from './verdict.ts'

export interface StormOptions {
  /** A migrated database without schedules, with the queue's schema; superuser's login. */
  url: string
  dataDir: string
  seconds: number
  workers: number
  /** Mean seconds between two kills. */
  killEvery: number
  /** Takes the server down and up again; it is called twice in the storm. Left out: the server stays. */
  restartPostgres?(): Promise<void>
  say(line: string): void
}

export interface StormReport {
  counts: Record<string, number>
  violations: string[]
}

const settleSeconds = 180

export async function weatherStorm(options: StormOptions): Promise<StormReport> {
  const { url, say } = options
  const fleet = await startFleet({ ...options, concurrency: 10 }, options.workers)
  const isOver = new AbortController()
  const client = await connect(url)
  try {
    const schedules = await insertSchedules(client)
    say(
      `${schedules} schedules fire every second for ${options.seconds} s; ${options.workers} workers, one killed every ${options.killEvery} s`,
    )
    const begun = performance.now()
    const storming = fleet.killAtRandom(options.killEvery, isOver.signal)
    await blow(options, begun)
    isOver.abort()
    await storming
    await settle(url, say)
    const judge = await connect(url)
    const violations = [...fleet.violations, ...(await findViolations(judge, fleet.kills))]
    const counts = { kills: fleet.kills.length, ...(await count(judge)) }
    await judge.end()
    return { counts, violations }
  } finally {
    isOver.abort()
    await client.end().catch(() => undefined)
    await fleet.end()
  }
}

async function blow({ seconds, restartPostgres, say }: StormOptions, begun: number): Promise<void> {
  for (const share of restartPostgres === undefined ? [1] : [0.35, 0.65, 1]) {
    await pause(Math.max(0, begun + seconds * 1000 * share - performance.now()))
    if (share === 1) return
    say(`${Math.round((performance.now() - begun) / 1000)} s: Postgres goes down and comes back`)
    await restartPostgres?.()
  }
}

/** Ends the schedules and waits until nothing is open any more. */
async function settle(url: string, say: (line: string) => void): Promise<void> {
  const client = await connect(url)
  await client.query('update dba.scheduler set is_active = false')
  const end = performance.now() + settleSeconds * 1000
  for (;;) {
    const { rows } = await client.query<{ open: number; unplanned: number }>(
      `select (select count(*)::integer from dba.run where state in ('planned', 'waiting', 'queued', 'running')) as open,
        (select count(*)::integer from dba.plan p join dba.scheduler s using (schedule_id) where p.planned_version is distinct from s.version) as unplanned`,
    )
    const [row] = rows
    if (row?.open === 0 && row.unplanned === 0) break
    if (performance.now() > end) {
      say(`not settled within ${settleSeconds} s: ${JSON.stringify(row)}`)
      break
    }
    await pause(200)
  }
  await client.end()
}

async function count(client: Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ what: string; found: number }>(`
    select 'runs ' || state || coalesce(' (' || sum(missed_count) || ' fires)', '') as what, count(*)::integer as found from dba.run group by state, missed_count is null
    union all
    select 'attempts ' || coalesce(outcome, 'open'), count(*)::integer from dba.attempt group by outcome
    union all
    select 'fires caught up', count(*)::integer from dba.run where trigger = 'catch_up'
    union all
    select 'longest from due to queued, in ms', max(extract(epoch from queued_at - due_at) * 1000)::integer from dba.run where attempt = 1 and overlap = 'allow'
    order by 1`)
  return Object.fromEntries(rows.map((row) => [row.what, row.found]))
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** How web hosts are treated: dba.scrapehost, and the budgets that all workers share, in dba.hoststate and dba.hostlease. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { HostBudget, TurnWait } from '../../systemscripts/web/manners/host-budget.ts'
import type { RobotsCache } from '../../systemscripts/web/manners/robots.ts'
import { hostBusy } from '../../systemscripts/web/refusals.ts'
import type { Hosts } from '../job/hosts.ts'

/** A share is asked for again before it lapses. */
const leaseSeconds = 30
const renewAfterMs = 5000
/** Longest sleep before a share that others hold is asked for again. */
const longestNapMs = 2000

/** What one run may do at a host, as the database said last. */
interface Share {
  slots: number
  gapSeconds: number
  askedAt: number
  /** Milliseconds since 1970 UTC; before it nobody is asked. */
  notBefore: number
  reason: string
  open: number
  /** An answer that is on its way; more than one caller waits for it. */
  asking: Promise<void> | null
  waiting: Set<() => void>
}

/** The hosts of one run. `close` gives its shares back. */
export function createHosts(pool: Pool, runId: string): Hosts {
  const shares = new Map<string, Share>()
  return { budget: createBudget(), robotsCache: createRobotsCache(pool), rules, close }

  async function rules() {
    const { rows } = await pool.query<{ host: string; user_agent: string | null; obey_robots: boolean }>(
      'select host, user_agent, obey_robots from dba.scrapehost',
    )
    const byHost = new Map(rows.map(({ host, user_agent, obey_robots }) => [host, { userAgent: user_agent, obeyRobots: obey_robots }]))
    const others = byHost.get('*') ?? { userAgent: null, obeyRobots: true }
    return (host: string) => byHost.get(host) ?? others
  }

  async function close(): Promise<void> {
    await pool.query('delete from dba.hostlease where run_id = $1', [runId])
  }

  function createBudget(): HostBudget {
    return {
      async acquire(host, wait) {
        const share = await freeSlot(host, wait)
        share.open += 1
        try {
          await turnAt(host, share, wait)
        } catch (error) {
          release(share)
          throw error
        }
        let isReleased = false
        return {
          async release() {
            if (isReleased) return
            isReleased = true
            release(share)
          },
        }
      },
      async penalise(host, until, reason) {
        await pool.query('select dba.block_host($1, $2, $3)', [host, until, reason])
        const share = shares.get(host)
        if (share !== undefined) share.askedAt = 0
      },
    }
  }

  /** Waits until this run may have one more request under way. */
  async function freeSlot(host: string, wait: TurnWait): Promise<Share> {
    const share = shareOf(host)
    for (;;) {
      wait.signal.throwIfAborted()
      if (Date.now() - share.askedAt > renewAfterMs) await ask(host, share)
      if (share.notBefore > wait.latest) throw hostBusy(host, new Date(share.notBefore), share.reason)
      const restMs = share.notBefore - Date.now()
      if (restMs <= 0 && share.open < share.slots) return share
      if (share.slots === 0 || restMs > 0) share.askedAt = 0
      await nap(share, Math.min(longestNapMs, Math.max(restMs, 50)), wait.signal)
    }
  }

  /** Keeps the gap: the database hands out the moments, to all workers in turn. */
  async function turnAt(host: string, share: Share, { signal, latest, minGapSeconds = 0 }: TurnWait): Promise<void> {
    const gapSeconds = Math.max(share.gapSeconds, minGapSeconds)
    if (gapSeconds === 0) return
    const { rows } = await pool.query<{ seconds: number }>('select dba.reserve_host_turn($1, make_interval(secs => $2)) as seconds', [
      host,
      gapSeconds,
    ])
    const waitMs = (rows[0]?.seconds ?? 0) * 1000
    if (Date.now() + waitMs > latest) throw hostBusy(host, new Date(Date.now() + waitMs), 'the gap between requests is kept')
    if (waitMs > 0) await sleep(waitMs, undefined, { signal })
  }

  function ask(host: string, share: Share): Promise<void> {
    share.asking ??= askNow(host, share).finally(() => {
      share.asking = null
    })
    return share.asking
  }

  async function askNow(host: string, share: Share): Promise<void> {
    const { rows } = await pool.query<LeaseRow>(
      'select slots, wait_seconds, reason, min_gap_seconds from dba.lease_host($1, $2, make_interval(secs => $3))',
      [host, runId, leaseSeconds],
    )
    const row = rows[0]
    if (row === undefined) return
    share.slots = row.slots
    share.gapSeconds = row.min_gap_seconds
    share.notBefore = Date.now() + row.wait_seconds * 1000
    share.reason = row.reason ?? ''
    share.askedAt = Date.now()
  }

  function shareOf(host: string): Share {
    const known = shares.get(host)
    if (known !== undefined) return known
    const share: Share = { slots: 0, gapSeconds: 0, askedAt: 0, notBefore: 0, reason: '', open: 0, asking: null, waiting: new Set() }
    shares.set(host, share)
    return share
  }
}

interface LeaseRow {
  slots: number
  wait_seconds: number
  reason: string | null
  min_gap_seconds: number
}

function release(share: Share): void {
  share.open -= 1
  const [next] = share.waiting
  if (next === undefined) return
  share.waiting.delete(next)
  next()
}

/** Ends when another request of this run has ended, or after so long. */
async function nap(share: Share, milliseconds: number, signal: AbortSignal): Promise<void> {
  const ended = new AbortController()
  let wake = (): void => {}
  const woken = new Promise<void>((resolve) => {
    wake = resolve
    share.waiting.add(wake)
  })
  try {
    await Promise.race([woken, sleep(milliseconds, undefined, { signal: AbortSignal.any([signal, ended.signal]) })])
  } finally {
    share.waiting.delete(wake)
    ended.abort()
  }
}

/** robots.txt of each site, kept in dba.hoststate for all workers. */
function createRobotsCache(pool: Pool): RobotsCache {
  return {
    async get(origin) {
      const { rows } = await pool.query<{ robots_kind: 'file' | 'open' | 'away'; robots_text: string | null; robots_at: Date }>(
        'select robots_kind, robots_text, robots_at from dba.hoststate where host = $1 and robots_at is not null',
        [origin],
      )
      const row = rows[0]
      return row === undefined ? null : { kind: row.robots_kind, text: row.robots_text ?? '', fetchedAt: row.robots_at.getTime() }
    },
    async put(origin, { kind, text, fetchedAt }) {
      await pool.query(
        `insert into dba.hoststate (host, robots_kind, robots_text, robots_at) values ($1, $2, $3, $4)
         on conflict (host) do update set robots_kind = excluded.robots_kind, robots_text = excluded.robots_text, robots_at = excluded.robots_at`,
        [origin, kind, text, new Date(fetchedAt)],
      )
    },
  }
}

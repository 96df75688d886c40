/** How web hosts are treated: dba.scrapehost, and the budgets that all workers share, in dba.hoststate and dba.hostlease. */
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { HostBudget, TurnWait } from '../../systemscripts/web/manners/host-budget.ts'
import { hostBusy } from '../../systemscripts/web/refusals.ts'
import type { Hosts } from '../job/hosts.ts'
import { createRobotsCache } from './hosts/robots-cache.ts'
import { nap, newShare, release, type Share } from './hosts/share.ts'

/** A part that is not asked for again lapses then: its run has died. */
const leaseSeconds = 10
/** So often a part is asked for again while it is used, so that others get theirs, and blocks are heard of; then it is given back. */
const renewAfterMs = 2000
/** Without a part, or with more under way than it allows. */
const askSoonMs = 300
/** Shorter waits are not told. */
const toldWaitMs = 10_000

/**
 * The hosts of one run. `close` gives its parts back.
 * @param tell hears of waits that people might wonder at
 */
export function createHosts(pool: Pool, runId: string, tell: (message: string) => void = () => {}): Hosts {
  const shares = new Map<string, Share>()
  let keeping: NodeJS.Timeout | undefined
  return { budget: createBudget(), robotsCache: createRobotsCache(pool), rules, close }

  async function rules() {
    const { rows } = await pool.query<{ host: string; user_agent: string | null; obey_robots: boolean }>(
      'select host, user_agent, obey_robots from dba.scrapehost',
    )
    const byHost = new Map(rows.map(({ host, user_agent, obey_robots }) => [host, { userAgent: user_agent, obeyRobots: obey_robots }]))
    const others = byHost.get('*') ?? { userAgent: null, obeyRobots: true }
    const names = new Set([...byHost.keys()].map(nameOf))
    return (host: string) => ({
      ...(byHost.get(host) ?? byHost.get(host.replace(/:\d+$/, '')) ?? others),
      hasRow: names.has(nameOf(host)),
    })
  }

  async function close(): Promise<void> {
    clearInterval(keeping)
    keeping = undefined
    if (shares.size > 0) await pool.query('delete from dba.hostlease where run_id = $1', [runId])
  }

  function createBudget(): HostBudget {
    return {
      async acquire(host, wait) {
        const share = await takeSlot(host, wait)
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
        shareOf(host).askAgainAt = 0
      },
    }
  }

  /** Waits until this run may have one more request under way, and counts it. */
  async function takeSlot(host: string, { signal, latest }: TurnWait): Promise<Share> {
    const share = shareOf(host)
    for (;;) {
      signal.throwIfAborted()
      if (Date.now() >= share.askAgainAt) await ask(host, share)
      if (share.notBefore > latest) throw hostBusy(host, new Date(share.notBefore), share.reason)
      const now = Date.now()
      if (share.notBefore <= now && share.open < share.slots) {
        share.open += 1
        keeping ??= setInterval(keepParts, renewAfterMs).unref()
        return share
      }
      await nap(share, Math.max(share.askAgainAt - now, 1), signal)
    }
  }

  /** Long requests keep their part, and what is not used is free for others. */
  function keepParts(): void {
    for (const [host, share] of shares) {
      if (share.open + share.waiting.size > 0) ask(host, share).catch(() => {})
      else if (share.slots > 0) {
        share.slots = 0
        share.askAgainAt = 0
        // Whoever wants it meanwhile waits for that, and asks anew.
        share.asking ??= pool.query('delete from dba.hostlease where host = $1 and run_id = $2', [host, runId]).then(
          () => {
            share.asking = null
          },
          () => {
            share.asking = null
          },
        )
      }
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
      'select slots, wait_seconds, reason, min_gap_seconds from dba.lease_host($1, $2, $3, make_interval(secs => $4))',
      [host, runId, share.open, leaseSeconds],
    )
    const row = rows[0]
    if (row === undefined) return
    const now = Date.now()
    const waitMs = row.wait_seconds * 1000
    share.slots = row.slots
    share.gapSeconds = row.min_gap_seconds
    share.notBefore = now + waitMs
    share.reason = row.reason ?? ''
    const soonMs = row.slots === 0 || share.open > row.slots ? askSoonMs : renewAfterMs
    share.askAgainAt = now + (waitMs > 0 ? Math.min(waitMs, renewAfterMs) : soonMs)
    if (waitMs > toldWaitMs && share.notBefore > share.toldUntil + toldWaitMs) {
      tell(`"${host}" is not asked again before ${new Date(share.notBefore).toISOString()}: ${share.reason}`)
      share.toldUntil = share.notBefore
    }
    for (const wake of share.waiting) wake()
  }

  function shareOf(host: string): Share {
    const known = shares.get(host)
    if (known !== undefined) return known
    const share = newShare()
    shares.set(host, share)
    return share
  }
}

/** Without port, and without the brackets of IPv6. */
function nameOf(host: string): string {
  return isIP(host) === 6 ? host : host.replace(/(?<=[^:]|\]):\d+$/, '').replace(/^\[|\]$/g, '')
}

interface LeaseRow {
  slots: number
  wait_seconds: number
  reason: string | null
  min_gap_seconds: number
}

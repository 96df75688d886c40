import type { HostBudget } from '../../systemscripts/web/manners/host-budget.ts'
import type { RobotsCache } from '../../systemscripts/web/manners/robots.ts'

/** How web hosts are treated, by all workers together; implemented by src/control-plane, handed to jobs as `ctx.hosts`. */
export interface Hosts {
  budget: HostBudget
  robotsCache: RobotsCache
  /**
   * What dba.scrapehost says now; asked of hosts by their names in lower case, with a port where that is not the usual one. `hasRow`: some
   * row names this very host, whatever the port.
   */
  rules(): Promise<(host: string) => { userAgent: string | null; obeyRobots: boolean; hasRow: boolean }>
  /** Gives this run's parts back, where it has asked for any. */
  close(): Promise<void>
}

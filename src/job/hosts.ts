import type { HostBudget } from '../../systemscripts/web/manners/host-budget.ts'
import type { RobotsCache } from '../../systemscripts/web/manners/robots.ts'

/** How web hosts are treated, by all workers together; implemented by src/control-plane, handed to jobs as `ctx.hosts`. */
export interface Hosts {
  budget: HostBudget
  robotsCache: RobotsCache
  /** What dba.scrapehost says now; asked of hosts by their names in lower case, without port. */
  rules(): Promise<(host: string) => { userAgent: string | null; obeyRobots: boolean }>
  /** Gives this run's shares back. */
  close(): Promise<void>
}

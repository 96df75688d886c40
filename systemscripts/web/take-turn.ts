import { refusePrivateName } from './address/proxied-name.ts'
import { bareHost, refusePrivateLiteral } from './address/web-address.ts'
import type { HostTurn } from './manners/host-budget.ts'
import type { WebClient } from './web-client.ts'

/**
 * Waits for the turn at the host of an address: after robots.txt has allowed it (its crawl-delay widens the gap), by the host's budget.
 *
 * @param wait.latest milliseconds since 1970 UTC, see HostBudget
 * @throws PermanentError `private_address`, `robots_disallowed`; JobError `robots_unreachable`, `host_busy`; what fetching robots.txt throws
 */
export async function takeTurn(
  client: WebClient,
  url: URL,
  wait: { signal: AbortSignal; latest: number; isRobots?: boolean },
): Promise<HostTurn> {
  refusePrivateLiteral(url, client.allowsPrivate)
  if (client.proxy !== null) await refusePrivateName(bareHost(url), client.allowsPrivate)
  const isChecked = !wait.isRobots && client.obeysRobots(url.host)
  const asked = isChecked ? await client.robots.check(url, client.userAgentFor(url.host), wait.signal) : null
  return client.budget.acquire(url.host, { signal: wait.signal, latest: wait.latest, minGapSeconds: asked?.crawlDelaySeconds ?? 0 })
}

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPublicAddress, privateAddress } from './private-address.ts'

/** Names that stand for this machine or an inner network wherever they are asked for (RFC 6761, 6762, 8375, ICANN's .internal). */
const INNER_NAMES = /(^|\.)(localhost|local|internal|intranet|private|corp|home|lan|home\.arpa)\.?$/i

/**
 * For an address that a proxy is to be asked for: the proxy resolves its name, and what stands in its network must not become reachable that way.
 * The name is resolved here as well; one that leads inwards from here, or is known to, is refused. What cannot be resolved here, as on a machine
 * without DNS, passes when it is a whole name. A name that answers differently to the proxy is for the proxy to refuse.
 *
 * @throws PermanentError `private_address`
 */
export async function refusePrivateName(host: string, allowsPrivate: (host: string) => boolean): Promise<void> {
  if (isIP(host) !== 0 || allowsPrivate(host)) return
  if (INNER_NAMES.test(host)) throw privateAddress(host, ['an inner network by its name'])
  const addresses = await lookup(host, { all: true }).catch(() => [])
  const inner = addresses.filter(({ address }) => !isPublicAddress(address))
  if (inner.length > 0) throw privateAddress(host, [...new Set(inner.map(({ address }) => address))])
  if (addresses.length === 0 && !host.replace(/\.$/, '').includes('.')) throw privateAddress(host, ['an inner network: it has no domain'])
}

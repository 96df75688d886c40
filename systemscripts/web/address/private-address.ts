import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { PermanentError } from '../../errors.ts'

/**
 * Whether an IP address, as text, belongs to the open internet.
 *
 * False for private, loopback, link-local, carrier-grade NAT, multicast, documentation, benchmarking and reserved ranges (IANA's registries
 * of special-purpose addresses, RFC 6890), for IPv4 written as IPv6 (`::ffff:10.0.0.1`), for 6to4 and Teredo, which can carry any address
 * inside, and for NAT64 (`64:ff9b::/96`) around an address that is not open itself. What is no address is not open either.
 */
export function isPublicAddress(address: string): boolean {
  const [plain = ''] = address.replace(/^\[|\]$/g, '').split('%')
  if (isIPv4(plain)) return !closedIpv4().check(plain, 'ipv4')
  if (!isIPv6(plain)) return false
  const carried = carriedByNat64(plain)
  if (carried !== null) return isPublicAddress(carried)
  return ipv6(OPEN_IPV6).check(plain, 'ipv6') && !ipv6(CLOSED_IPV6).check(plain, 'ipv6')
}

/** For a host whose name or address leads inwards. `addresses`: what it stands for. */
export function privateAddress(host: string, addresses: string[]): PermanentError {
  return new PermanentError('private_address', `"${host}" is an address of an inner network, which pages are not fetched from`, {
    detail: `It stands for ${addresses.join(', ')}.`,
    hint: 'Correct the address; where the page really is an inner one, set allow_private_hosts in dba.scrapeconfig; a host that is not in start_url needs a row in dba.scrapehost as well.',
  })
}

const CLOSED_IPV4: [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
/** Global unicast: nothing else is routed. */
const OPEN_IPV6: [string, number][] = [['2000::', 3]]
const CLOSED_IPV6: [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const lists = new Map<unknown, BlockList>()

function closedIpv4(): BlockList {
  return listOf(CLOSED_IPV4, 'ipv4')
}

function ipv6(subnets: [string, number][]): BlockList {
  return listOf(subnets, 'ipv6')
}

function listOf(subnets: [string, number][], family: 'ipv4' | 'ipv6'): BlockList {
  const known = lists.get(subnets)
  if (known !== undefined) return known
  const list = new BlockList()
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, family)
  lists.set(subnets, list)
  return list
}

/** RFC 6052: the last 32 bits of `64:ff9b::/96` are an IPv4 address. The URL parser writes an IPv6 address in its shortest form. */
function carriedByNat64(address: string): string | null {
  const found = /^\[64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})?\]$/.exec(new URL(`http://[${address}]/`).hostname)
  if (found === null) return null
  const bits = [found[1], found[2]].map((part) => Number.parseInt(part ?? '0', 16))
  return bits.flatMap((part) => [part >> 8, part & 255]).join('.')
}

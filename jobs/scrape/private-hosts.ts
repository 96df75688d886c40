import { isIP } from 'node:net'
import type { ConnectionFacts } from '../../src/job/connections.ts'
import type { ScrapeSettings } from './settings.ts'

/**
 * Which hosts may stand for addresses of an inner network: with allow_private_hosts those that people wrote down, in the addresses of the config
 * or its connection or as a row of dba.scrapehost. A page that sends on to another one leads nowhere. All names of this machine are one host.
 */
export function privateHosts(
  { allowPrivateHosts, startUrl, fileUrl }: Pick<ScrapeSettings, 'allowPrivateHosts' | 'startUrl' | 'fileUrl'>,
  connection: Pick<ConnectionFacts, 'options'> | null,
  hasRow: (host: string) => boolean,
): (host: string) => boolean {
  if (!allowPrivateHosts) return () => false
  const named = [startUrl, fileUrl, connection?.options.login_url].flatMap((address) => {
    const host = typeof address === 'string' ? hostIn(address) : null
    return host === null ? [] : [host]
  })
  const isThisMachineNamed = named.some(isLoopback)
  return (host) => named.includes(host) || hasRow(host) || (isThisMachineNamed && isLoopback(host))
}

/** Null: it depends on the id. */
function hostIn(address: string): string | null {
  const marked = URL.parse(address.replaceAll('{id}', 'id-of-a-page'))?.hostname
  const plain = URL.parse(address.replaceAll('{id}', '0'))?.hostname
  return marked === undefined || marked !== plain ? null : plain.replace(/^\[|\]$/g, '')
}

function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return /(^|\.)localhost\.?$/i.test(host)
  return /^127\./.test(host) || host === '::1'
}

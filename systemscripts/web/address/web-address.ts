import { isIP } from 'node:net'
import { PermanentError } from '../../errors.ts'
import { isPublicAddress, privateAddress } from './private-address.ts'

/** Longer ones no server takes. */
const LONGEST_ADDRESS = 8192

/**
 * An address that may be asked for: absolute, http or https, without user and password in it.
 *
 * @param base what a relative address is relative to; null: it must be absolute
 * @throws PermanentError `address_invalid`, `scheme_refused`
 */
export function webAddress(text: string, base: URL | null = null): URL {
  const url = text.length > LONGEST_ADDRESS ? null : URL.parse(text, base?.href)
  if (url === null) {
    throw new PermanentError('address_invalid', `"${shortened(text)}" is no web address`, {
      hint: 'Write it as https://host/path.',
    })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new PermanentError('scheme_refused', `"${shortened(text)}" is neither http nor https`, {
      detail: `Its scheme is "${url.protocol.slice(0, -1)}".`,
      hint: 'Only pages of web servers are fetched. Files of a folder are the work of an import.',
    })
  }
  if (url.username !== '' || url.password !== '') {
    throw new PermanentError('address_invalid', `The address of "${url.host}" holds a user or password`, {
      hint: 'Take it out of the address and put user_name and secret_name into a row of dba.connection.',
    })
  }
  url.hash = ''
  return url
}

/** What can be said before a name is resolved. @throws PermanentError `private_address` */
export function refusePrivateLiteral(url: URL, allowsPrivate: (host: string) => boolean): void {
  const host = bareHost(url)
  if (isIP(host) !== 0 && !allowsPrivate(host) && !isPublicAddress(host)) throw privateAddress(host, [host])
}

/** The host without port and without the brackets of IPv6. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

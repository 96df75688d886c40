import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { isPublicAddress, privateAddress } from './private-address.ts'

export interface ConnectRules {
  /** Whether this host may stand for an address of an inner network. */
  allowsPrivate(host: string): boolean
  connectSeconds: number
  /** Certificates in PEM that are trusted beside the usual ones. Null: only those. */
  trusted: string[] | null
}

/**
 * Opens connections for undici, HTTP/2 where the server speaks it, and only to addresses that the rules allow. The name is resolved once, by
 * us, and the connection goes to what was checked; what it is connected to in the end is looked at again. So neither a redirect nor a name
 * that changes its address leads inwards.
 */
export function checkedConnector(rules: ConnectRules): buildConnector.connector {
  const connect = buildConnector({
    timeout: rules.connectSeconds * 1000,
    allowH2: true,
    lookup: checkedLookup(rules.allowsPrivate),
    ...(rules.trusted === null ? {} : { ca: rules.trusted }),
  })
  return (options, callback) => {
    const host = options.hostname
    const refuse = (address: string): boolean => !rules.allowsPrivate(host) && !isPublicAddress(address)
    if (isIP(host) !== 0 && refuse(host)) {
      callback(privateAddress(host, [host]), null)
      return
    }
    connect(options, (...result) => {
      const [, socket] = result
      const address = socket?.remoteAddress
      if (socket === null || address === undefined || !refuse(address)) {
        callback(...result)
        return
      }
      socket.destroy()
      callback(privateAddress(host, [address]), null)
    })
  }
}

/** Of the addresses of a name gives those that are open; error `private_address` when none is. */
export function checkedLookup(allowsPrivate: (host: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '')
        return
      }
      const open = allowsPrivate(host) ? addresses : addresses.filter(({ address }) => isPublicAddress(address))
      const [first] = open
      if (first === undefined) callback(privateAddress(host, [...new Set(addresses.map(({ address }) => address))]), '')
      else if (options.all === true) callback(null, open)
      else callback(null, first.address, first.family)
    })
  }
}

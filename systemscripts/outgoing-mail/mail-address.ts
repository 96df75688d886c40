import { domainToASCII } from 'node:url'
import { PermanentError } from '../errors.ts'

export interface NamedAddress {
  /** Empty when there is none. */
  name: string
  /** The domain in ASCII and lower case; the part before it as it was written. */
  address: string
}

/** `"A name" <local@domain>`, `A name <local@domain>` or `local@domain`; no local part needs quotes. */
const NAMED = /^(?:"([^"<>]*)"|([^<>@,;"]*))\s*<([^<>\s]+)>$/
/** RFC 5321, 4.5.3.1; RFC 5322, 3.2.3. */
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$/
const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})?(\.[a-z0-9]([a-z0-9-]{0,62})?)*$/

/**
 * Reads one address as people write it; a domain may be international.
 * @throws PermanentError `header_injection`, `address_invalid`
 */
export function readAddress(text: string): NamedAddress {
  refuseControls(text, 'An address')
  const named = NAMED.exec(text.trim())
  const bare = named?.[3] ?? text.trim()
  const at = bare.lastIndexOf('@')
  const local = bare.slice(0, at)
  const domain = domainToASCII(bare.slice(at + 1)).toLowerCase()
  if (at < 1 || !LOCAL.test(local) || !DOMAIN.test(domain)) {
    throw new PermanentError('address_invalid', `"${text}" is no mail address`, {
      detail:
        at < 1 ? 'It has no "@".' : LOCAL.test(local) ? 'What follows "@" is no domain.' : 'What stands before "@" cannot be sent to.',
      hint: 'Write one address each: ann@example.com, or Ann A <ann@example.com>.',
    })
  }
  return { name: (named?.[1] ?? named?.[2] ?? '').trim(), address: `${local}@${domain}` }
}

/** A line break in a header would begin another one. @throws PermanentError `header_injection` */
export function refuseControls(text: string, what: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return
  throw new PermanentError('header_injection', `${what} has a line break or another control character in it`, {
    detail: `It is ${JSON.stringify(text.slice(0, 200))}.`,
    hint: 'Take it out of the report, or of the data that it is filled with.',
  })
}

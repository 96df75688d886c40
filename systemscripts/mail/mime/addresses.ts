import { headerText } from './header-text.ts'

export interface MailAddress {
  /** As a person reads it; empty when there is none. */
  name: string
  /** In lower case; empty when the entry holds none. */
  address: string
}

const MOST_ADDRESSES = 1000
/** One address, alone or after a name of plain words: what most fields hold. */
const SIMPLE = /^(?:([A-Za-z0-9 .'_-]*)<([\w.+-]+@[\w.-]+)>|([\w.+-]+@[\w.-]+))$/

/**
 * The addresses of a From, To or Cc field, those of groups included. What is in angle brackets is the address, whatever the name pretends to
 * be; an entry with several brackets gives all of them, so that nobody hides one behind another. Source: RFC 5322, 3.4.
 *
 * @param raw as headerFields gives it
 */
export function parseAddresses(raw: string): MailAddress[] {
  const simple = SIMPLE.exec(raw)
  if (simple !== null) return [{ name: (simple[1] ?? '').trim(), address: (simple[2] ?? simple[3] ?? '').toLowerCase() }]
  return entriesOf(raw).flatMap(addressesOfEntry).slice(0, MOST_ADDRESSES)
}

/** Split at commas and semicolons, not at those within quotes, comments and angle brackets. Comments are left out. */
function entriesOf(raw: string): string[] {
  const entries: string[] = []
  let entry = ''
  let isQuoted = false
  let isBracketed = false
  let comments = 0
  for (let at = 0; at < raw.length && entries.length < MOST_ADDRESSES; at += 1) {
    const character = raw[at] ?? ''
    const word = character === '=' && !isQuoted && comments === 0 ? encodedWordAt(raw, at) : ''
    if (word !== '') {
      // A comma in an encoded word is none, though it should have been encoded too.
      entry += word
      at += word.length - 1
    } else if (character === '\\' && (isQuoted || comments > 0)) {
      if (comments === 0) entry += raw.slice(at, at + 2)
      at += 1
    } else if (character === '"' && comments === 0) {
      isQuoted = !isQuoted
      entry += character
    } else if (isQuoted) entry += character
    else if (character === '(') comments += 1
    else if (character === ')' && comments > 0) comments -= 1
    else if (comments > 0) continue
    else if ((character === ',' || character === ';') && !isBracketed) {
      entries.push(entry)
      entry = ''
    } else if (character === ':' && !isBracketed && !entry.includes('@')) entry = ''
    else {
      if (character === '<') isBracketed = true
      if (character === '>') isBracketed = false
      entry += character
    }
  }
  return [...entries, entry].filter((text) => text.trim() !== '')
}

function encodedWordAt(raw: string, at: number): string {
  const word = /=\?[^?\s]{1,40}\?[bq]\?[^?\s]*\?=/iy
  word.lastIndex = at
  return word.exec(raw)?.[0] ?? ''
}

function addressesOfEntry(entry: string): MailAddress[] {
  const outside = entry.replace(/"(?:[^"\\]|\\.)*"/g, (text) => ' '.repeat(text.length))
  const brackets = [...outside.matchAll(/<([^<>]*)>/g)]
  const first = brackets[0]
  if (first === undefined) return [{ name: '', address: plain(entry) }]
  const name = headerText(unquoted(entry.slice(0, first.index).trim()))
  return brackets.map(({ index, 0: all }) => ({ name, address: plain(entry.slice(index + 1, index + all.length - 1)) }))
}

function unquoted(name: string): string {
  return name.replace(/"((?:[^"\\]|\\.)*)"?/g, (_, content: string) => content.replace(/\\(.)/g, '$1'))
}

/** A route before the address (`@relay:user@host`) is left out. */
function plain(text: string): string {
  const address = headerText(text)
    .replace(/\s+/g, '')
    .replace(/^@[^:]*:/, '')
  return address.includes('@') ? address.toLowerCase() : ''
}

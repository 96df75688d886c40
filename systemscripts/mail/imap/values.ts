/** A value in a response: text one character a byte, bytes of a literal, NIL, or a list. */
export type ImapValue = string | Buffer | null | ImapValue[]

const DEEPEST = 100

/**
 * The values of `* 12 FETCH (UID 5 BODY[HEADER] {42}…)` by name in upper case, without the place that a partial answer states (`<0>`).
 * @returns null for any other response
 */
export function fetchedValues(response: Buffer): Map<string, ImapValue> | null {
  const head = /^\* \d+ FETCH \(/i.exec(response.toString('latin1', 0, 40))
  if (head === null) return null
  const list = new ValueReader(response, head[0].length - 1).value(0)
  const values = new Map<string, ImapValue>()
  if (!Array.isArray(list)) return values
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at]
    if (typeof name === 'string') values.set(name.toUpperCase().replace(/<\d+>$/, ''), list[at + 1] ?? null)
  }
  return values
}

/** Source: RFC 3501, 4 and 9. */
class ValueReader {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  value(depth: number): ImapValue {
    const first = this.bytes[this.at]
    if (first === 0x28) return this.list(depth)
    if (first === 0x22) return this.quoted()
    if (first === 0x7b) return this.literal()
    const atom = this.atom()
    return atom.toUpperCase() === 'NIL' ? null : atom
  }

  list(depth: number): ImapValue[] {
    const values: ImapValue[] = []
    this.at += 1
    while (this.at < this.bytes.length && depth < DEEPEST) {
      const next = this.bytes[this.at]
      if (next === 0x20) this.at += 1
      else if (next === 0x29) {
        this.at += 1
        return values
      } else values.push(this.value(depth + 1))
    }
    return values
  }

  quoted(): string {
    const start = this.at + 1
    for (this.at = start; this.at < this.bytes.length && this.bytes[this.at] !== 0x22; this.at += 1) {
      if (this.bytes[this.at] === 0x5c) this.at += 1
    }
    const text = this.bytes.toString('latin1', start, this.at)
    this.at += 1
    return text.includes('\\') ? text.replace(/\\(.)/g, '$1') : text
  }

  literal(): Buffer {
    const end = this.bytes.indexOf(0x0a, this.at) + 1
    const length = Number(this.bytes.toString('latin1', this.at + 1, end - 3))
    this.at = end + length
    return this.bytes.subarray(end, this.at)
  }

  /** A section in brackets belongs to the name before it, blanks and all. */
  atom(): string {
    const start = this.at
    for (let isBracketed = false; this.at < this.bytes.length; this.at += 1) {
      const byte = this.bytes[this.at]
      if (byte === 0x5b) isBracketed = true
      else if (byte === 0x5d) isBracketed = false
      else if (!isBracketed && (byte === 0x20 || byte === 0x29 || byte === 0x28)) break
    }
    // A byte that begins nothing is passed over.
    if (this.at === start) this.at += 1
    return this.bytes.toString('latin1', start, this.at)
  }
}

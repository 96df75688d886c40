/** Of the header of one message or part so many bytes are looked at; what comes after is left out. */
export const MOST_HEADER_BYTES = 256 * 1024
const MOST_FIELDS = 2000

export interface HeaderField {
  /** In lower case. */
  name: string
  /** Unfolded, one character a byte (latin1): as raw as it came. */
  value: string
}

/**
 * The fields of a header block, in order, topmost first. Lines that are no field and belong to none are left out, and so is what stands after
 * the first blank line. Source: RFC 5322, 2.2.
 */
export function headerFields(block: Uint8Array): HeaderField[] {
  const text = Buffer.from(block.buffer, block.byteOffset, Math.min(block.byteLength, MOST_HEADER_BYTES)).toString('latin1')
  const fields: HeaderField[] = []
  for (let at = 0; at < text.length && fields.length < MOST_FIELDS; ) {
    const end = endOfField(text, at)
    const line = text.slice(at, end)
    if (/^\r?\n/.test(line) || line === '') break
    const colon = line.indexOf(':')
    const name = colon === -1 ? '' : line.slice(0, colon).trimEnd().toLowerCase()
    if (/^[!-9;-~]+$/.test(name)) fields.push({ name, value: unfolded(line.slice(colon + 1)) })
    at = end
  }
  return fields
}

/** A field goes on as long as lines begin with a blank. A line of blanks alone continues it too, as some senders fold. */
function endOfField(text: string, from: number): number {
  for (let at = from; ; ) {
    const lineEnd = text.indexOf('\n', at)
    if (lineEnd === -1) return text.length
    const next = text[lineEnd + 1]
    if (next !== ' ' && next !== '\t') return lineEnd + 1
    at = lineEnd + 1
  }
}

function unfolded(value: string): string {
  return (value.includes('\n') ? value.replace(/\r?\n/g, '') : value).replace(/\r$/, '').trim()
}

/** Raw value of the topmost field of that name; null without one. */
export function fieldValue(fields: HeaderField[], name: string): string | null {
  return fields.find((field) => field.name === name)?.value ?? null
}

/** All of them, topmost first. */
export function fieldValues(fields: HeaderField[], name: string): string[] {
  return fields.filter((field) => field.name === name).map(({ value }) => value)
}

import { createHash } from 'node:crypto'

/** Room for a number and an ending of ours within the 255 bytes that file systems allow. */
const MOST_BYTES = 200
/** Zero-width, direction and other invisible marks: they make one name look like another. */
const INVISIBLE = /[\p{Cf}\p{Variation_Selector}\u2028\u2029\u115f\u1160\u17b4\u17b5\u3164\uffa0]/gu
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(?:\.|$))/i

/**
 * A name under which a file may be written on any system, made from one that a stranger wrote. Never a path, never hidden, never reserved, at
 * most 200 bytes of UTF-8 with its ending kept; the same name always gives the same result. Two may still give one: who writes the file
 * takes a free name (move-file.ts).
 *
 * Source: Microsoft, Naming Files, Paths, and Namespaces; POSIX.1-2017, 3.282.
 *
 * @param prefix put before it, made safe as well. Default empty.
 */
export function safeFileName(name: string, prefix = ''): string {
  const cleaned = clean(withoutFolders(name))
  return bounded(clean(prefix + (cleaned === '' ? 'attachment' : cleaned)))
}

/** Of a whole path the last part; a slash within a title stays for `clean`. */
function withoutFolders(name: string): string {
  const isPath = /^([a-z]:|\\\\|\/|~\/|\.{1,2}[\\/])|[\\/]\.{1,2}[\\/]|\\.*\\/i.test(name)
  return isPath ? (name.split(/[\\/]/).findLast((part) => /[^.\s]/.test(part)) ?? '') : name
}

function clean(name: string): string {
  const plain = name
    .toWellFormed()
    .normalize('NFC')
    .replace(INVISIBLE, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .replace(/[<>:"/\\|?*\ufffd]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[\s.~]+|[\s.]+$/g, '')
  return plain.replace(RESERVED, '_$1')
}

/** A name that is too long keeps its beginning and its ending, and a mark of the whole between them. */
function bounded(name: string): string {
  if (Buffer.byteLength(name) <= MOST_BYTES) return name
  const ending = /\.[^. ]{1,16}$/u.exec(name)?.[0] ?? ''
  const mark = `-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
  let stem = ''
  for (const character of name.slice(0, name.length - ending.length)) {
    if (Buffer.byteLength(stem + character + mark + ending) > MOST_BYTES) break
    stem += character
  }
  return `${stem.trimEnd()}${mark}${ending}`
}

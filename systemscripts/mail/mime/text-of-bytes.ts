import { isAscii, isUtf8 } from 'node:buffer'

/** These say something with bytes that are plain ASCII as well, so that UTF-8 cannot be told by looking. */
const SEVEN_BIT = /^(iso-2022-jp|utf-16|utf-16le|utf-16be|csiso2022jp|hz-gb-2312)$/i

/** Names of encodings in mail that the WHATWG Encoding Standard does not list. */
const OTHER_NAMES: Record<string, string> = {
  cp932: 'shift_jis',
  'windows-31j': 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
  utf8mb4: 'utf-8',
  'utf-8-sig': 'utf-8',
  'iso8859-1': 'windows-1252',
  'latin-1': 'windows-1252',
}

/**
 * Bytes of a mail as text. What the mail says about its encoding is often wrong, so: what reads as UTF-8 is UTF-8; else the stated encoding
 * counts; where that is unknown, missing or breaks, Windows-1252, which reads everything.
 *
 * @param stated name of an encoding as it stands in the mail
 */
export function textOfBytes(bytes: Uint8Array, stated: string | null): string {
  const isSevenBit = stated !== null && SEVEN_BIT.test(stated.trim())
  if (!isSevenBit && isAscii(bytes)) return Buffer.from(bytes).toString('latin1')
  if (!isSevenBit && isUtf8(bytes)) return new TextDecoder('utf-8').decode(bytes)
  const text = stated === null ? null : decoded(bytes, stated)
  return text === null || text.includes('\ufffd') ? new TextDecoder('windows-1252').decode(bytes) : text
}

function decoded(bytes: Uint8Array, stated: string): string | null {
  const name = stated.trim().toLowerCase()
  const label = OTHER_NAMES[name] ?? name.replace(/^(?:cp|x-cp|ansi-?|ms-?)(\d{3,5})$/, 'windows-$1')
  try {
    return new TextDecoder(label).decode(bytes)
  } catch {
    return null
  }
}

import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { textOfDos } from './csv/text-decoder.ts'

const UNICODE_NAME = 0x7075

/**
 * The name of a zip's entry: UTF-8 where the entry says so, by its flag or by Info-ZIP's extra field; also where the bytes happen to be
 * UTF-8, since macOS writes it without a word; else code page 437, what a zip means when it says nothing else (APPNOTE 6.3, appendix D). Backslashes, which
 * some writers use against the standard, become `/`; a `/` or `./` at the beginning is left out.
 */
export function zipName(bytes: Buffer, extra: Buffer, isUtf8Stated: boolean): string {
  const name = unicodeName(extra, bytes) ?? (isUtf8Stated || isUtf8(bytes) ? bytes.toString('utf8') : textOfDos(bytes))
  return name.replaceAll('\\', '/').replace(/^(\.?\/)+/, '')
}

/** Extra field 0x7075: version, checksum of the plain name that it stands for, name. */
function unicodeName(extra: Buffer, plainName: Buffer): string | null {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) !== UNICODE_NAME || field.length <= 5) continue
    return field.readUInt32LE(1) === crc32(plainName) && isUtf8(field.subarray(5)) ? field.toString('utf8', 5) : null
  }
  return null
}

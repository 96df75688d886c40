import { safeFileName } from '../../safe-file-name.ts'
import { headerText } from './header-text.ts'

/**
 * A safe name for what an address gave: from Content-Disposition (RFC 6266; `filename*` of RFC 5987 goes before `filename`), else the last
 * part of the address up to `;` or `?`, else `download`. Names in raw UTF-8, in percents and in MIME words are understood, as browsers do.
 */
export function statedName(disposition: string | null, url: URL): string {
  const named = nameIn(disposition ?? '') ?? nameInAddress(url)
  return safeFileName(named.trim() === '' ? 'download' : named)
}

/** The last part of an address, up to `;` or `?`; empty where it has none. */
export function nameInAddress(url: URL): string {
  const [last = ''] = (url.pathname.split('/').findLast((part) => part !== '') ?? '').split(';')
  return percentDecoded(last, 'utf-8').replace(/[;?].*$/s, '')
}

function nameIn(header: string): string | null {
  const extended = /(?:^|;)\s*filename\*\s*=\s*"?([\w!#$%&+^`{}~-]+)'[^']*'([^\s;"]*)/i.exec(header)
  if (extended?.[1] !== undefined && extended[2] !== undefined) {
    const name = percentDecoded(extended[2], extended[1])
    if (name !== '') return name
  }
  const plain = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/i.exec(header)
  if (plain === null) return null
  const text = (plain[1]?.replace(/\\(["\\])/g, '$1') ?? plain[2] ?? '').trim()
  return text === '' ? null : asWritten(text)
}

function asWritten(text: string): string {
  const read = headerText(text)
  const word = /^=\?([\w-]+)\?([bq])\?([^?]*)\?=$/i.exec(read)
  if (word?.[1] === undefined || word[3] === undefined) return /%[0-9a-f]{2}/i.test(read) ? percentDecoded(read, 'utf-8') : read
  if (word[2]?.toLowerCase() === 'b') return decoded(Buffer.from(word[3], 'base64'), word[1])
  return percentDecoded(word[3].replaceAll('_', ' ').replace(/=([0-9a-f]{2})/gi, '%$1'), word[1])
}

/** Percents that mean nothing stay as they are. */
function percentDecoded(text: string, charset: string): string {
  const bytes = Buffer.from(
    text.replace(/%[0-9a-f]{2}|[^%]+|%/gi, (part) =>
      /^%[0-9a-f]{2}$/i.test(part) ? String.fromCharCode(Number.parseInt(part.slice(1), 16)) : Buffer.from(part, 'utf8').toString('latin1'),
    ),
    'latin1',
  )
  return decoded(bytes, charset)
}

function decoded(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString('utf8')
  }
}

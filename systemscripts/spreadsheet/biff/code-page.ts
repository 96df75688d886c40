import { TextDecoder } from 'node:util'
import type { CodePage } from './strings.ts'

/** Labels of the WHATWG Encoding Standard by the number that Windows and the Mac give the code page. */
const LABELS = new Map<number, string>([
  [866, 'ibm866'],
  [874, 'windows-874'],
  [932, 'shift_jis'],
  [936, 'gbk'],
  [949, 'euc-kr'],
  [950, 'big5'],
  [10000, 'macintosh'],
  [0x8000, 'macintosh'],
  [10007, 'x-mac-cyrillic'],
  [0x8001, 'windows-1252'],
  [20866, 'koi8-r'],
  [65001, 'utf-8'],
])

/** Reads texts in that code page; windows-1252 when nobody knows it. Rare ones are looked up in SheetJS's tables. */
export async function codePageOf(number: number): Promise<CodePage> {
  const label = number >= 1250 && number <= 1258 ? `windows-${number}` : LABELS.get(number)
  if (label !== undefined) return decoding(label)
  const { cptable } = await import('xlsx/dist/cpexcel.full.mjs')
  const characters = cptable[number]?.dec
  return characters === undefined ? decoding('windows-1252') : (bytes) => charactersOf(bytes, characters)
}

/** Characters of one byte, or of two, by number. */
function charactersOf(bytes: Buffer, characters: { [code: number]: string }): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at] ?? 0
    const wide = characters[code * 256 + (bytes[at + 1] ?? 0)]
    if (characters[code] !== undefined || wide === undefined) text += characters[code] ?? '\ufffd'
    else {
      text += wide
      at += 1
    }
  }
  return text
}

function decoding(label: string): CodePage {
  const decoder = new TextDecoder(label)
  return (bytes) => decoder.decode(bytes)
}

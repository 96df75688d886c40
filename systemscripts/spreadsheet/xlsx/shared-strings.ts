import type { ZipEntry } from '../../zip-file.ts'
import { workbookTooLarge } from '../refusals.ts'
import { LESS, plainEnd, stands } from './byte-search.ts'
import { readRichText } from './rich-text.ts'
import { createStringStore, type StringStore } from './string-store.ts'
import { utf8Xml } from './xml-bytes.ts'
import { decodeEscapes, decodeXml } from './xml-text.ts'
import { readToken, XmlError } from './xml-tokens.ts'
import { isCutOff, textOf, type XmlWindow, xmlWindows } from './xml-window.ts'
import { type Package, readPart } from './zip-part.ts'

/** All texts of a workbook; those of a sheet of 1,048,576 rows by 16 different texts of 20 letters fit. */
const LARGEST_STORE = 512 * 1024 * 1024
const LARGEST_TEXT = 64 * 1024 * 1024

const START = Buffer.from('<si><t>')
const START_KEPT = Buffer.from('<si><t xml:space="preserve">')
const END = Buffer.from('</t></si>')

/**
 * The table of texts that cells name by number.
 * @throws PermanentError `workbook_broken`, `workbook_too_large`; XmlError
 */
export async function readSharedStrings(zip: Package, part: ZipEntry): Promise<StringStore> {
  const store = createStringStore()
  const tooLarge = (): Error => workbookTooLarge(zip.fileName, `A text in it is longer than ${LARGEST_TEXT} bytes.`)
  let isEnded = false
  for await (const window of xmlWindows(utf8Xml(readPart(zip, part)), LARGEST_TEXT, tooLarge)) {
    if (!isEnded) isEnded = readStrings(window, store)
    if (isEnded) window.used = window.length
    if (store.bytes > LARGEST_STORE) throw workbookTooLarge(zip.fileName, `Its texts take more than ${LARGEST_STORE} bytes.`)
    if (window.isLast && !isEnded) throw new XmlError(`part "${part.name}" is cut off`)
  }
  return store
}

/** Adds the strings that lie wholly in the window; true when the table ends in it. */
function readStrings(window: XmlWindow, store: StringStore): boolean {
  const { bytes } = window
  for (;;) {
    const at = window.used
    const start = stands(START, bytes, at) ? START : stands(START_KEPT, bytes, at) ? START_KEPT : null
    const from = at + (start?.length ?? 0)
    const plain = start === null ? from : plainEnd(bytes, from)
    const to = start === null ? -1 : bytes[plain] === LESS ? plain : bytes.indexOf(LESS, plain)
    if (to !== -1 && stands(END, bytes, to)) {
      if (to === plain) store.addAscii(bytes, from, to)
      else store.add(decodeEscapes(decodeXml(textOf(window, from, to))))
      window.used = to + END.length
      continue
    }
    if (isCutOff(window)) return false
    const end = readOther(window, store)
    if (end !== 'more') return end === 'end'
  }
}

/** Whatever else stands there, with which most tables have little to do. */
function readOther(window: XmlWindow, store: StringStore): 'more' | 'incomplete' | 'end' {
  const token = readToken(window.text, window.used)
  if (token === null) return 'incomplete'
  if (token.name === 'sst' && (token.kind === 'close' || token.kind === 'empty')) return 'end'
  if (token.name === 'si' && (token.kind === 'open' || token.kind === 'empty')) {
    const rich = readRichText(window, window.used)
    if (rich === null) return 'incomplete'
    store.add(rich.text)
    window.used = rich.end
  } else window.used = token.end
  return 'more'
}

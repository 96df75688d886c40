import { workbookTooLarge } from '../refusals.ts'
import { builtInFormat } from '../xlsx/number-formats.ts'
import { createStringStore, type StringStore } from '../xlsx/string-store.ts'
import { behindWideString, type RecordReader, wideString } from './records.ts'

export interface BundledSheet {
  name: string
  isHidden: boolean
  relation: string
}

const FORMAT = 44
const STYLE = 47
const BEGIN_STYLES = 617
const END_STYLES = 618
const SHARED_TEXT = 19
const SETTINGS = 153
const SHEET = 156
/** All texts of a workbook. */
const LARGEST_STORE = 512 * 1024 * 1024

/** The list of sheets, and the epoch: [MS-XLSB] 2.4.301 and 2.4.820. */
export function createSheetList(): { sheets: BundledSheet[]; is1904(): boolean; read: RecordReader } {
  const sheets: BundledSheet[] = []
  let is1904 = false
  return { sheets, is1904: () => is1904, read }

  function read(id: number, data: Buffer): void {
    if (id === SETTINGS) is1904 = (data.readUInt8(0) & 1) === 1
    if (id !== SHEET) return
    const isHidden = data.readUInt32LE(0) !== 0
    sheets.push({ isHidden, relation: wideString(data, 8), name: wideString(data, behindWideString(data, 8)) })
  }
}

/** Number formats by the number of a cell's style. */
export function createStyleList(): { formatOf(style: number): string; read: RecordReader } {
  const stated = new Map<number, string>()
  const styles: number[] = []
  let isInside = false
  return { formatOf, read }

  function read(id: number, data: Buffer): void {
    if (id === FORMAT) stated.set(data.readUInt16LE(0), wideString(data, 2))
    else if (id === BEGIN_STYLES || id === END_STYLES) isInside = id === BEGIN_STYLES
    else if (id === STYLE && isInside) styles.push(data.readUInt16LE(2))
  }

  function formatOf(style: number): string {
    const number = styles[style] ?? 0
    return stated.get(number) ?? builtInFormat(number)
  }
}

/** The texts that cells name by number; what is said of looks and pronunciation stands behind each and is left. */
export function createTextList(fileName: string): { texts: StringStore; read: RecordReader } {
  const texts = createStringStore()
  return { texts, read }

  function read(id: number, data: Buffer): void {
    if (id !== SHARED_TEXT) return
    texts.add(wideString(data, 1).toWellFormed())
    if (texts.bytes > LARGEST_STORE) throw workbookTooLarge(fileName, `Its texts take more than ${LARGEST_STORE} bytes.`)
  }
}

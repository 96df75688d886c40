import { builtInFormat } from '../xlsx/number-formats.ts'
import { codePageOf } from './code-page.ts'
import { BiffError, type BiffRecord, beginningOf, RECORD, recordAt, records } from './records.ts'
import { type CodePage, readSharedStrings, readString } from './strings.ts'

/** What holds for all sheets of a workbook. */
export interface BiffGlobals {
  biff: 2 | 3 | 4 | 5 | 8
  is1904: boolean
  codePage: CodePage
  strings: string[]
  /** The format by the number of a cell's style. */
  formatOf(style: number): string
  formatNumbered(number: number): string
  sheets: BiffSheet[]
}

export interface BiffSheet {
  name: string
  isHidden: boolean
  hasCells: boolean
  /** Where its beginning stands in the stream. */
  from: number
}

const CELLS_TYPE = 0
/** Excel for Windows in the west. */
const USUAL_CODE_PAGE = 1252

/**
 * The beginning of a workbook: its sheets, texts and formats. Before BIFF 5 a file is one sheet, with these in it.
 * @throws BiffError when it is no BIFF stream, or is cut off
 */
export async function readGlobals(stream: Buffer): Promise<BiffGlobals> {
  const beginning = beginningOf(recordAt(stream, 0))
  if (beginning === null) throw new BiffError('it does not begin as a workbook does')
  const { biff, type } = beginning
  const found = gather(stream, type === 'sheet' || type === 'chart' || type === 'macros')
  const codePage = await codePageOf(found.codePage)
  const formats = new Map<number, string>()
  found.formats.forEach((record, index) => {
    const [number, format] = formatIn(record, index, biff, codePage)
    formats.set(number, format)
  })
  return {
    biff,
    is1904: found.is1904,
    codePage,
    strings: found.strings.length === 0 ? [] : readSharedStrings(found.strings),
    formatOf: (style) => formatNumbered(found.styles[style] ?? 0),
    formatNumbered,
    sheets:
      biff >= 5 && type === 'globals' ? found.sheets.map((data) => boundSheet(data, biff, codePage)) : bareSheets(stream, biff, codePage),
  }

  function formatNumbered(number: number): string {
    return formats.get(number) ?? (biff >= 5 ? builtInFormat(number) : 'General')
  }
}

interface Gathered {
  is1904: boolean
  codePage: number
  formats: BiffRecord[]
  /** Number of the format by style. */
  styles: number[]
  strings: Buffer[]
  sheets: Buffer[]
}

function gather(stream: Buffer, isSheetItself: boolean): Gathered {
  const found: Gathered = { is1904: false, codePage: USUAL_CODE_PAGE, formats: [], styles: [], strings: [], sheets: [] }
  let before = 0
  for (const record of records(stream, 0)) {
    const { id, data } = record
    if (id === RECORD.eof && !isSheetItself) return found
    if (id === RECORD.continue && before === RECORD.sst) found.strings.push(data)
    else before = id
    if (id === RECORD.date1904 && data.length >= 2) found.is1904 = data.readUInt16LE(0) === 1
    else if (id === RECORD.codePage && data.length >= 2) found.codePage = data.readUInt16LE(0)
    else if (id === RECORD.format || id === RECORD.format2) found.formats.push(record)
    else if (id === RECORD.xf && data.length >= 4) found.styles.push(data.readUInt16LE(2))
    else if ((id === RECORD.xf3 || id === RECORD.xf4) && data.length >= 2) found.styles.push(data.readUInt8(1))
    else if (id === RECORD.sst) found.strings = [data]
    else if (id === RECORD.boundSheet) found.sheets.push(data)
  }
  if (!isSheetItself) throw new BiffError('its beginning has no end')
  return found
}

/** Before BIFF 5 a format's number is its place in the list. */
function formatIn({ id, data }: BiffRecord, index: number, biff: number, codePage: CodePage): [number, string] {
  if (id === RECORD.format2) return [index, readString(data, 0, 1, biff, codePage)]
  if (data.length < 3) return [index, 'General']
  return [biff === 4 ? index : data.readUInt16LE(0), readString(data, 2, biff === 8 ? 2 : 1, biff, codePage)]
}

function boundSheet(data: Buffer, biff: number, codePage: CodePage): BiffSheet {
  if (data.length < 7) throw new BiffError('the list of sheets is cut off')
  return {
    name: readString(data, 6, 1, biff, codePage),
    isHidden: (data.readUInt8(4) & 3) !== 0,
    hasCells: data.readUInt8(5) === CELLS_TYPE,
    from: data.readUInt32LE(0),
  }
}

/** The sheet that the stream is, or those of a workspace of Excel 4, each with its name before it. */
function bareSheets(stream: Buffer, biff: number, codePage: CodePage): BiffSheet[] {
  const sheets: BiffSheet[] = []
  let name: string | null = null
  for (const record of records(stream, 0)) {
    if (record.id === RECORD.bundleHeader && record.data.length > 4) name = readString(record.data, 4, 1, biff, codePage)
    const beginning = beginningOf(record)
    if (beginning === null || beginning.type === 'workspace') continue
    sheets.push({ name: name ?? `Sheet${sheets.length + 1}`, isHidden: false, hasCells: beginning.type === 'sheet', from: record.from })
    name = null
  }
  return sheets
}

import type { Attributes, XmlReader } from '../xml-walk.ts'
import type { NumberStyles } from './number-styles.ts'

export interface ListedTable {
  name: string
  isHidden: boolean
  /** Counted among all tables of the document, from 0. */
  place: number
}

export interface TableList extends XmlReader {
  tables: ListedTable[]
  /** The day from which numbers that are dates count, in milliseconds since 1970. */
  nullDate(): number
}

/** Of LibreOffice and Excel alike, save that Excel's 1900 has a day more. */
const USUAL_NULL_DATE = Date.UTC(1899, 11, 30)

/** Lists the sheets of a document; gathers its styles, which stand before them. Copies of sheets in other files, kept for formulas, are no sheets. */
export function createTableList(styles: NumberStyles): TableList {
  const tables: ListedTable[] = []
  let depth = 0
  let place = 0
  let nullDate = USUAL_NULL_DATE
  const list: TableList = { tables, nullDate: () => nullDate, open, close, text: styles.text }
  return list

  function open(name: string, attributes: Attributes): void {
    if (name === 'body') list.text = null
    if (name === 'null-date') nullDate = Date.parse(attributes('table:date-value') ?? '') || USUAL_NULL_DATE
    if (name === 'table') {
      if (depth === 0) add(attributes)
      depth += 1
    } else if (list.text !== null) styles.open(name, attributes)
  }

  function close(name: string): void {
    if (name === 'table') depth -= 1
    else if (list.text !== null) styles.close(name)
  }

  function add(attributes: Attributes): void {
    const name = attributes('table:name') ?? `Sheet${place + 1}`
    const isOfOtherFile = /^'(file|https?|smb|ftp):.*'#/.test(name)
    if (!isOfOtherFile) tables.push({ name, isHidden: styles.isHiddenTable(attributes('table:style-name')), place })
    place += 1
  }
}

import { namedFormat } from '../named-formats.ts'
import type { Attributes, XmlReader } from '../xml-walk.ts'

export interface SheetList extends XmlReader {
  sheets: { name: string; isHidden: boolean; hasCells: boolean }[]
  /** Number format by style. */
  styles: Map<string, string>
  isOf1904(): boolean
}

/** Lists the sheets, and gathers the styles, which stand before them. Whether a sheet is hidden stands behind its rows. */
export function createSheetList(): SheetList {
  const sheets: SheetList['sheets'] = []
  const styles = new Map<string, string>()
  let style: string | null = null
  let visible: string | null = null
  let is1904 = false
  const list: SheetList = { sheets, styles, isOf1904: () => is1904, open, close, text: null }
  return list

  function open(name: string, attributes: Attributes): void {
    if (name === 'Worksheet') {
      const isMacroSheet = attribute(attributes, 'ss:Type') === 'MacroSheet'
      sheets.push({ name: attribute(attributes, 'ss:Name') ?? `Sheet${sheets.length + 1}`, isHidden: false, hasCells: !isMacroSheet })
    } else if (name === 'Style') {
      style = attribute(attributes, 'ss:ID')
      const parent = styles.get(attribute(attributes, 'ss:Parent') ?? 'Default')
      if (style !== null && parent !== undefined) styles.set(style, parent)
    } else if (name === 'NumberFormat' && style !== null) {
      styles.set(style, namedFormat(attribute(attributes, 'ss:Format') ?? 'General'))
    } else if (name === 'Date1904') is1904 = true
    else if (name === 'Visible') {
      visible = ''
      list.text = (text) => {
        visible += text
      }
    }
  }

  function close(name: string): void {
    if (name === 'Style') style = null
    if (name !== 'Visible') return
    const sheet = sheets.at(-1)
    if (sheet !== undefined && /hidden/i.test(visible ?? '')) sheet.isHidden = true
    list.text = null
  }
}

/** Attributes are written with the prefix `ss:`, or without when that is the namespace of all. */
export function attribute(attributes: Attributes, name: string): string | null {
  return attributes(name) ?? attributes(name.slice(3))
}

import { type NumberKind, numberKind } from '../cell-values.ts'
import { builtInFormat } from './number-formats.ts'
import { xmlElements } from './xml-elements.ts'

/** What a cell's `s` says of its number. */
export interface CellStyle {
  format: string
  kind: NumberKind
}

export const GENERAL: CellStyle = { format: 'General', kind: 'number' }

/** Formats of cells by their style's index. @throws XmlError */
export function readStyles(xml: string): CellStyle[] {
  const stated = new Map<number, string>()
  const ids: number[] = []
  for (const element of xmlElements(xml)) {
    if (element.name === 'numFmt' && element.path.at(-1) === 'numFmts' && element.path.length === 2) {
      stated.set(Number(element.attribute('numFmtId')), element.attribute('formatCode') ?? 'General')
    }
    if (element.name === 'xf' && element.path.at(-1) === 'cellXfs') ids.push(Number(element.attribute('numFmtId') ?? 0))
  }
  const styles = new Map<number, CellStyle>()
  return ids.map((id) => {
    const known = styles.get(id)
    if (known !== undefined) return known
    const format = stated.get(id) ?? builtInFormat(id)
    const style = { format, kind: numberKind(format) }
    styles.set(id, style)
    return style
  })
}

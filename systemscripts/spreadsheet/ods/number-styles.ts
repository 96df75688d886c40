import type { Attributes } from '../xml-walk.ts'

/** Gathers the styles of a document as it is walked through. */
export interface NumberStyles {
  open(name: string, attributes: Attributes): void
  close(name: string): void
  text(text: string): void
  /** Whether numbers in a cell of that style are codes: zeros lead them, and nothing else but blanks, brackets and dashes is in them. */
  isCode(cellStyle: string | null): boolean
  /** Whether a table of that style is not shown. */
  isHiddenTable(tableStyle: string | null): boolean
}

export function createNumberStyles(): NumberStyles {
  const codes = new Set<string>()
  /** Number style, and the style that it inherits from, by style of cells. */
  const cells = new Map<string, { numbers: string | null; parent: string | null }>()
  const hiddenTables = new Set<string>()
  let table: string | null = null
  let number: { name: string; digits: number; isCode: boolean } | null = null
  return { open, close, text, isCode, isHiddenTable: (style) => style !== null && hiddenTables.has(style) }

  function open(name: string, attributes: Attributes): void {
    if (name === 'style') {
      const family = attributes('style:family')
      const style = attributes('style:name') ?? ''
      table = family === 'table' ? style : null
      if (family === 'table-cell')
        cells.set(style, { numbers: attributes('style:data-style-name'), parent: attributes('style:parent-style-name') })
    } else if (name === 'table-properties' && table !== null && attributes('table:display') === 'false') hiddenTables.add(table)
    else if (name === 'number-style') number = { name: attributes('style:name') ?? '', digits: 0, isCode: true }
    else if (number !== null && name === 'number') {
      const isPlain = attributes('number:grouping') !== 'true' && Number(attributes('number:decimal-places') ?? 0) === 0
      number.digits += Number(attributes('number:min-integer-digits') ?? 0)
      number.isCode &&= isPlain && attributes('number:display-factor') === null
    } else if (number !== null && name !== 'text' && name !== 'embedded-text' && name !== 'text-properties') number.isCode = false
  }

  function close(name: string): void {
    if (name === 'style') table = null
    if (name !== 'number-style' || number === null) return
    if (number.isCode && number.digits >= 2) codes.add(number.name)
    number = null
  }

  function text(text: string): void {
    if (number !== null && /[^\s()-]/.test(text)) number.isCode = false
  }

  function isCode(cellStyle: string | null): boolean {
    let style = cellStyle
    for (let inherited = 0; style !== null && inherited < 20; inherited += 1) {
      const found = cells.get(style)
      if (found?.numbers) return codes.has(found.numbers)
      style = found?.parent ?? null
    }
    return false
  }
}

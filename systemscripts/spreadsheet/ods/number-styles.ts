import type { Attributes } from '../xml-walk.ts'

/**
 * What the numbers in cells of a style are: `code` where zeros lead them and nothing else but blanks, brackets and dashes is in them; the others
 * count days.
 */
export type OdsNumberKind = 'number' | 'code' | 'date' | 'time' | 'duration'

/** Gathers the styles of a document as it is walked through. */
export interface NumberStyles {
  open(name: string, attributes: Attributes): void
  close(name: string): void
  text(text: string): void
  kindOf(cellStyle: string | null): OdsNumberKind
  /** Whether a table of that style is not shown. */
  isHiddenTable(tableStyle: string | null): boolean
}

const DAY_PARTS = new Set(['day', 'month', 'year', 'era', 'quarter', 'week-of-year', 'day-of-week'])

export function createNumberStyles(): NumberStyles {
  const kinds = new Map<string, OdsNumberKind>()
  /** Number style, and the style that it inherits from, by style of cells. */
  const cells = new Map<string, { numbers: string | null; parent: string | null }>()
  const hiddenTables = new Set<string>()
  let table: string | null = null
  let number: { name: string; digits: number; isCode: boolean } | null = null
  let moment: { name: string; hasDay: boolean; isDuration: boolean } | null = null
  return { open, close, text, kindOf, isHiddenTable: (style) => style !== null && hiddenTables.has(style) }

  function open(name: string, attributes: Attributes): void {
    if (name === 'style') openStyle(attributes)
    else if (name === 'table-properties' && table !== null && attributes('table:display') === 'false') hiddenTables.add(table)
    else if (name === 'number-style') number = { name: attributes('style:name') ?? '', digits: 0, isCode: true }
    else if (name === 'date-style' || name === 'time-style') {
      const isDuration = attributes('number:truncate-on-overflow') === 'false'
      moment = { name: attributes('style:name') ?? '', hasDay: false, isDuration }
    } else if (moment !== null) moment.hasDay ||= DAY_PARTS.has(name)
    else if (number !== null && name === 'number') {
      const isPlain = attributes('number:grouping') !== 'true' && Number(attributes('number:decimal-places') ?? 0) === 0
      number.digits += Number(attributes('number:min-integer-digits') ?? 0)
      number.isCode &&= isPlain && attributes('number:display-factor') === null
    } else if (number !== null && name !== 'text' && name !== 'embedded-text' && name !== 'text-properties') number.isCode = false
  }

  function openStyle(attributes: Attributes): void {
    const family = attributes('style:family')
    const style = attributes('style:name') ?? ''
    table = family === 'table' ? style : null
    if (family === 'table-cell')
      cells.set(style, { numbers: attributes('style:data-style-name'), parent: attributes('style:parent-style-name') })
  }

  function close(name: string): void {
    if (name === 'style') table = null
    if (moment !== null && (name === 'date-style' || name === 'time-style')) {
      kinds.set(moment.name, moment.hasDay ? 'date' : moment.isDuration ? 'duration' : 'time')
      moment = null
    }
    if (name !== 'number-style' || number === null) return
    if (number.isCode && number.digits >= 2) kinds.set(number.name, 'code')
    number = null
  }

  function text(text: string): void {
    if (number !== null && /[^\s()-]/.test(text)) number.isCode = false
  }

  function kindOf(cellStyle: string | null): OdsNumberKind {
    let style = cellStyle
    for (let inherited = 0; style !== null && inherited < 20; inherited += 1) {
      const found = cells.get(style)
      if (found?.numbers) return kinds.get(found.numbers) ?? 'number'
      style = found?.parent ?? null
    }
    return 'number'
  }
}

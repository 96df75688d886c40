import { numberKind, numberText } from '../cell-values.ts'
import { namedFormat } from '../named-formats.ts'

/** Attributes of an element, or declarations of its style. */
type Named = Record<string, string | undefined>

/** Gives the exact text of a cell that says more than it shows; undefined: what is shown counts. */
export type OfficeCells = (attributes: Named, shown: string | null) => OfficeValue | undefined

export interface OfficeValue {
  text: string | null
  /** A number, a date or a truth value; else a text or an error. */
  isTyped: boolean
}

/**
 * What Excel and LibreOffice write beside the shown text of a page's cells: Excel `x:num="1234.5"`, `x:str`, `x:bool`, `x:err` and the number
 * format as `mso-number-format` of the style or its class, LibreOffice `sdval` and `sdnum`. So a number that is shown as `1,234.50 €` is 1234.5,
 * and a date is written as it is from a workbook. Pages of other writers are read as they are shown.
 *
 * @param styles text of the page's style elements
 */
export function officeCells(styles: string, is1904: boolean): OfficeCells {
  const formats = formatsOfClasses(styles)
  return (attributes, shown) => {
    if (attributes['x:str'] !== undefined) return attributes['x:str'] === '' ? undefined : { text: attributes['x:str'], isTyped: false }
    if (attributes['x:bool'] !== undefined) return truth(/^true$/i.test(attributes['x:bool'] || (shown ?? '')))
    if (attributes['x:err'] !== undefined) return { text: attributes['x:err'] || shown, isTyped: false }
    // LibreOffice states zero for an error.
    if (attributes.sdval !== undefined && /^(#[A-Z]|Err:)/.test(shown ?? '')) return undefined
    if (attributes.sdval !== undefined && /BOOLEAN/.test(attributes.sdnum ?? '')) return truth(Number(attributes.sdval) !== 0)
    const stated = attributes['x:num'] ?? attributes.sdval
    const number = stated === '' ? shown : stated
    if (number == null || !/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(number)) return undefined
    const format = formatOf(attributes)
    return { text: numberText(Number(number), numberKind(format), format, is1904), isTyped: true }
  }

  function formatOf(attributes: Named): string {
    // LibreOffice: language of the format; language of the page; format.
    if (attributes.sdnum !== undefined) return attributes.sdnum.replace(/^[^;]*;[^;]*;?/, '') || 'General'
    const own = formatIn(attributes.style ?? '')
    if (own !== null) return own
    const classes = (attributes.class ?? '').split(/\s+/)
    return classes.map((name) => formats.get(name)).find((format) => format !== undefined) ?? 'General'
  }
}

function truth(is: boolean): OfficeValue {
  return { text: is ? 'true' : 'false', isTyped: true }
}

/** `.xl65 {mso-number-format:"Short Date";}` */
function formatsOfClasses(styles: string): Map<string, string> {
  const formats = new Map<string, string>()
  for (const [, name = '', body = ''] of styles.matchAll(/\.([\w-]{1,100})\s*\{([^}]*)\}/g)) {
    const format = formatIn(body)
    if (format !== null) formats.set(name, format)
  }
  return formats
}

function formatIn(style: string): string | null {
  const found = /mso-number-format\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:[^;"'\\]|\\.)*))/i.exec(style)
  if (found === null) return null
  // In quotes or not, a backslash stands before what means something to CSS; four digits after it are a character's number.
  const text = (found[1] ?? found[2] ?? found[3] ?? '')
    .trim()
    .replace(/\\(?:([0-9a-f]{4}) ?|(.))/gi, (_, code: string | undefined, plain: string | undefined) =>
      code === undefined ? (plain ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
    )
  return namedFormat(text)
}

import { xmlAttribute } from './xml-text.ts'

export interface CellStyle {
  /** As Excel writes it. Default `General`. */
  format?: string
  isHeader?: boolean
  /** Excel's apostrophe: the text stays text, even when a person edits the cell. */
  keepsText?: boolean
  wraps?: boolean
  right?: boolean
}

/** The styles of a workbook's cells, numbered as they come up. */
export interface Styles {
  number(style: CellStyle): number
  /** The part `xl/styles.xml` */
  xml(): string
}

const FIRST_OWN_FORMAT = 164

export function collectStyles(): Styles {
  const formats: string[] = []
  const styles = new Map([['{}', '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>']])
  return { number, xml }

  function number(style: CellStyle): number {
    const key = JSON.stringify(style)
    if (!styles.has(key)) styles.set(key, cellFormat(style, formatNumber(style.format)))
    return [...styles.keys()].indexOf(key)
  }

  function formatNumber(format: string | undefined): number {
    if (format === undefined) return 0
    if (!formats.includes(format)) formats.push(format)
    return FIRST_OWN_FORMAT + formats.indexOf(format)
  }

  function xml(): string {
    const own = formats.map((format, at) => `<numFmt numFmtId="${FIRST_OWN_FORMAT + at}" formatCode="${xmlAttribute(format)}"/>`)
    return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">${
      own.length === 0 ? '' : `<numFmts count="${own.length}">${own.join('')}</numFmts>`
    }${FONTS_FILLS_BORDERS}<cellXfs count="${styles.size}">${[...styles.values()].join('')}</cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
  }
}

function cellFormat({ isHeader, keepsText, wraps, right }: CellStyle, format: number): string {
  const look = isHeader
    ? 'fontId="1" fillId="2" borderId="1" applyFont="1" applyFill="1" applyBorder="1"'
    : 'fontId="0" fillId="0" borderId="0"'
  const alignment = `${right ? ' horizontal="right"' : ''}${wraps ? ' vertical="top" wrapText="1"' : ''}`
  const attributes = `numFmtId="${format}" ${look} xfId="0"${format === 0 ? '' : ' applyNumberFormat="1"'}${keepsText ? ' quotePrefix="1"' : ''}`
  return alignment === '' ? `<xf ${attributes}/>` : `<xf ${attributes} applyAlignment="1"><alignment${alignment}/></xf>`
}

/** The second font, third fill and second border are those of headers; Excel wants the first two fills to be these. */
const FONTS_FILLS_BORDERS =
  '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font><font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>' +
  '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>' +
  '<fill><patternFill patternType="solid"><fgColor rgb="FFDCE6F1"/><bgColor indexed="64"/></patternFill></fill></fills>' +
  '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>' +
  '<border><left/><right/><top/><bottom style="thin"><color rgb="FF8EA9C8"/></bottom><diagonal/></border></borders>' +
  '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'

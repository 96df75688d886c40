import type { Row } from '../row-source.ts'
import { cellWriter, type Departures, type PutCell } from './cells.ts'
import type { ColumnLook } from './column-looks.ts'
import { DECLARATION, MAIN } from './parts.ts'
import type { StringTable } from './string-table.ts'
import type { Styles } from './styles.ts'

/** How the rows of a sheet become XML; one for all sheets of the rows. */
export interface SheetWriter {
  /** What stands in front of the rows, the header row included. */
  head(): string
  /** @param number of the row in the sheet, from 2 */
  row(row: Row, number: number): string
  /** What stands behind the rows. @param rows with the header */
  tail(rows: number): string
  /** `A1:L101`; null when there are no columns. */
  filtered(rows: number): string | null
}

export function sheetWriter(looks: readonly ColumnLook[], strings: StringTable, styles: Styles, departures: Departures): SheetWriter {
  const letters = looks.map((_, at) => columnLetters(at))
  const puts: PutCell[] = looks.map((look) => cellWriter(look, strings, styles, departures))
  const header = styles.number({ isHeader: true, keepsText: true })
  return { head, row, tail, filtered }

  function head(): string {
    const columns = looks.map(({ width }, at) => `<col min="${at + 1}" max="${at + 1}" width="${width}" customWidth="1"/>`)
    const cells = looks.map((look, at) => `<c r="${letters[at]}1" s="${header}" t="s"><v>${strings.add(look.header)}</v></c>`)
    return `${DECLARATION}<worksheet xmlns="${MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0">\
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>\
${columns.length === 0 ? '' : `<cols>${columns.join('')}</cols>`}<sheetData><row r="1">${cells.join('')}</row>`
  }

  function row(cells: Row, number: number): string {
    let text = `<row r="${number}">`
    for (let at = 0; at < puts.length; at += 1) {
      const value = cells[at]
      if (value != null) text += puts[at]?.(value, `${letters[at]}${number}`)
    }
    return `${text}</row>`
  }

  /** Numbers that stand as text do so on purpose. */
  function tail(rows: number): string {
    const range = filtered(rows)
    const filter = range === null ? '' : `<autoFilter ref="${range}"/>`
    const ignored = range === null ? '' : `<ignoredErrors><ignoredError sqref="${range}" numberStoredAsText="1"/></ignoredErrors>`
    return `</sheetData>${filter}<pageSetup orientation="landscape" fitToHeight="0"/>${ignored}</worksheet>`
  }

  function filtered(rows: number): string | null {
    return letters.length === 0 ? null : `A1:${letters.at(-1)}${rows}`
  }
}

/** A sheet of sentences, one a row. */
export function sheetOfNotes(notes: readonly string[], strings: StringTable): string {
  const rows = notes.map((note, at) => `<row r="${at + 1}"><c r="A${at + 1}" t="s"><v>${strings.add(note)}</v></c></row>`)
  return `${DECLARATION}<worksheet xmlns="${MAIN}"><cols><col min="1" max="1" width="100" customWidth="1"/></cols><sheetData>${rows.join('')}</sheetData></worksheet>`
}

/** `A`, `Z`, `AA`, from 0 */
function columnLetters(at: number): string {
  const before = at < 26 ? '' : columnLetters(Math.floor(at / 26) - 1)
  return before + String.fromCharCode(65 + (at % 26))
}

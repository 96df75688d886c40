import { createReadStream } from 'node:fs'
import type { CellPlace, Grid, GridRow } from '../grid.ts'
import { withShown } from './shown-numbers.ts'
import { createSheetList } from './spreadsheetml/sheet-list.ts'
import { createSheetReader } from './spreadsheetml/sheet-reader.ts'
import type { Workbook } from './workbook.ts'
import { walkXml } from './xml-walk.ts'

const ROWS_PER_BATCH = 500

/**
 * A workbook in one XML file, as Excel 2002 and 2003 and many reporting tools write it, read as a stream: sheets and styles are gathered in a
 * first walk, and each sheet is read in a walk of its own. Texts are those of cell-values.ts.
 * Source: Microsoft, XML Spreadsheet Reference (Office XP).
 *
 * @throws PermanentError `workbook_broken`, `workbook_too_large`; also from within the rows
 */
export async function readXmlWorkbook({ path, fileName }: { path: string; fileName: string }): Promise<Workbook> {
  const list = createSheetList()
  for await (const _ of walkXml(createReadStream(path), list, fileName));
  return {
    sheets: list.sheets,
    grid,
  }

  function grid(index: number, hasTypes = false): Grid {
    const emptyFormulas: CellPlace[] = []
    return {
      kind: 'xml',
      sheet: list.sheets[index]?.name ?? '',
      names: null,
      rows: rowsOf(index, hasTypes, emptyFormulas),
      emptyFormulas,
    }
  }

  async function* rowsOf(index: number, hasTypes: boolean, emptyFormulas: CellPlace[]): AsyncGenerator<GridRow[]> {
    const reader = createSheetReader(index, { fileName, styles: list.styles, is1904: list.isOf1904(), hasTypes, emptyFormulas })
    for await (const _ of walkXml(createReadStream(path), reader, fileName)) {
      const rows = reader.take()
      for (let at = 0; at < rows.length; at += ROWS_PER_BATCH) {
        yield await Promise.all(rows.slice(at, at + ROWS_PER_BATCH).map((row) => withShown(row, row.formatted, list.isOf1904())))
      }
      if (reader.isDone()) return
    }
  }
}

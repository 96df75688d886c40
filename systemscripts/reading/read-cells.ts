import { rowsOfCsv } from '../csv/csv-table.ts'
import type { GridRow, TypedCell } from '../grid.ts'
import type { CellRange } from './cell-range.ts'
import { contentsOf } from './contents.ts'
import { openGrids } from './open-grids.ts'
import { shapeOptions } from './open-source.ts'
import type { ReadRequest } from './protocol.ts'

/** Filled cells as they stand, in the order of the rows, in batches. */
export async function* readSourceCells(request: ReadRequest): AsyncGenerator<TypedCell[]> {
  const { range, skipHidden } = shapeOptions(request)
  for await (const content of contentsOf(request)) {
    if (content.kind === 'csv') {
      for await (const rows of rowsOfCsv({ fileName: content.fileName, sheet: content.member, bytes: content.bytes }, request))
        yield textCells(rows, content.member, range, false)
      continue
    }
    for await (const { grid, typedCells } of openGrids(content, request)) {
      if (typedCells !== null && !skipHidden) {
        for await (const cells of typedCells()) yield cells.filter((cell) => isInside(cell.row, cell.column - 1, range))
        continue
      }
      for await (const rows of grid.rows) yield textCells(rows, grid.sheet, range, skipHidden)
    }
  }
}

function textCells(rows: GridRow[], sheet: string | null, range: CellRange | null, skipHidden: boolean): TypedCell[] {
  return rows
    .filter(({ isHidden }) => !skipHidden || isHidden !== true)
    .flatMap(({ line, cells }) =>
      cells.flatMap((text, column): TypedCell[] =>
        text == null || !isInside(line, column, range) ? [] : [{ sheet, row: line, column: column + 1, type: 'text', value: text, text }],
      ),
    )
}

function isInside(line: number, column: number, range: CellRange | null): boolean {
  return range === null || (line >= range.firstLine && line <= range.lastLine && column >= range.firstColumn && column <= range.lastColumn)
}

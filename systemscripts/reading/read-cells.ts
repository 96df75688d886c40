import { rowsOfCsv } from '../csv/csv-table.ts'
import type { TypedCell } from '../grid.ts'
import { typedCells } from '../spreadsheet/typed-cells.ts'
import type { CellRange } from './cell-range.ts'
import { contentsOf, type NamedContent } from './contents.ts'
import { openGrids } from './open-grids.ts'
import { shapeOptions } from './open-source.ts'
import type { ReadRequest } from './protocol.ts'

/** Filled cells as they stand, in the order of the rows, in batches, none of them empty. */
export async function* readSourceCells(request: ReadRequest): AsyncGenerator<TypedCell[]> {
  const { range, skipHidden } = shapeOptions(request)
  for await (const content of contentsOf(request)) {
    if (content.kind === 'csv') yield* cellsInside(cellsOfCsv(content, request), range)
    else for await (const { cells } of openGrids(content, request)) yield* cellsInside(cells(skipHidden), range)
  }
}

async function* cellsOfCsv({ fileName, member, bytes }: NamedContent, request: ReadRequest): AsyncGenerator<TypedCell[]> {
  for await (const rows of rowsOfCsv({ fileName, sheet: member, bytes }, request)) yield typedCells(member, rows, false)
}

/** Rows ascend: what follows the range is not read. */
async function* cellsInside(cells: AsyncIterable<TypedCell[]>, range: CellRange | null): AsyncGenerator<TypedCell[]> {
  for await (const batch of cells) {
    const inside = range === null ? batch : batch.filter((cell) => isInside(cell, range))
    if (inside.length > 0) yield inside
    if (range !== null && (batch.at(-1)?.row ?? 0) > range.lastLine) return
  }
}

function isInside({ row, column }: TypedCell, range: CellRange): boolean {
  return row >= range.firstLine && row <= range.lastLine && column > range.firstColumn && column <= range.lastColumn + 1
}

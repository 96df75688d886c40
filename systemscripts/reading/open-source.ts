import { tableOfCsv } from '../csv/csv-table.ts'
import { PermanentError } from '../errors.ts'
import { parseCellRange } from './cell-range.ts'
import { contentsOf, type NamedContent } from './contents.ts'
import { tableOfGrid } from './grid-table.ts'
import { openGrids } from './open-grids.ts'
import { betweenSlashes, endTest } from './patterns.ts'
import type { ReadRequest } from './protocol.ts'
import type { SourceTable } from './source-table.ts'
import type { ShapeOptions } from './table-shape.ts'

/**
 * The tables of a file, one after the other, as the request asks for them. Of a sheet that is asked for among others and in which nothing stands,
 * nothing is said.
 *
 * @throws PermanentError `file_kind_differs`, those of fileKind and of the readers
 */
export async function* openSource(request: ReadRequest): AsyncGenerator<SourceTable> {
  const options = shapeOptions(request)
  let blank: PermanentError | null = null
  let count = 0
  for await (const content of contentsOf(request)) {
    for await (const openTable of tablesOf(content, request, options)) {
      const table = await openTable().catch((error: unknown) => {
        if (!(error instanceof PermanentError) || error.code !== 'header_row_missing' || !asksForMany(request, content)) throw error
        blank = error
        return null
      })
      if (table === null) continue
      count += 1
      yield table
    }
  }
  if (count === 0 && blank !== null) throw blank
}

export function shapeOptions(request: ReadRequest): ShapeOptions {
  const { headerRow, headerRows, cellRange, skipHidden, endsWhen } = request
  return {
    headerRow,
    headerRows,
    range: cellRange === null ? null : parseCellRange(cellRange),
    skipHidden,
    endsWhen: endsWhen === null ? null : endTest(endsWhen),
  }
}

async function* tablesOf(content: NamedContent, request: ReadRequest, options: ShapeOptions): AsyncGenerator<() => Promise<SourceTable>> {
  const { fileName, member } = content
  if (content.kind === 'csv') {
    const { delimiter, quote, encoding } = request
    yield () => tableOfCsv({ fileName, sheet: member, bytes: content.bytes }, { ...options, delimiter, quote, encoding })
    return
  }
  for await (const { open } of openGrids(content, request)) yield () => tableOfGrid(open, options, fileName)
}

function asksForMany({ sheet }: ReadRequest, { member }: NamedContent): boolean {
  return member !== null || sheet === '*' || betweenSlashes(sheet) !== null
}

import type { CellSink } from '../cell-sink.ts'
import type { CellPlace, Grid, TypedCell } from '../grid.ts'
import { htmlTableNotFound } from '../spreadsheet/refusals.ts'
import { typedCells } from '../spreadsheet/typed-cells.ts'
import { parseCellRange } from './cell-range.ts'
import { chooseSheets, type SheetName } from './choose-sheets.ts'
import type { NamedContent } from './contents.ts'
import type { ReadRequest } from './protocol.ts'

export interface OpenGrid {
  /** From its beginning, each time; one walk at a time. */
  open(): Grid | Promise<Grid>
  /** Its filled cells, with their types where the kind has any. */
  cells(skipHidden: boolean): AsyncIterable<TypedCell[]>
}

/** Lines below where the header may stand for which texts as shown are asked for. */
const SHOWN_LINES = 1000

/**
 * The grids that the request asks for, each to be walked before the next is asked for. The readers of each kind are loaded here only, and only the
 * one that is needed.
 */
export async function* openGrids(content: NamedContent, request: ReadRequest): AsyncGenerator<OpenGrid> {
  const { fileName, kind, path } = content
  switch (kind) {
    case 'json': {
      const { readJsonRecords } = await import('../json-lines.ts')
      yield named(() => readJsonRecords({ fileName, bytes: () => piecesOf(content), encoding: request.encoding }), content, null)
      return
    }
    case 'html': {
      const { readHtmlTables } = await import('../spreadsheet/html-grid.ts')
      const page = await readHtmlTables({ fileName, bytes: () => piecesOf(content), encoding: request.encoding })
      for (const index of htmlTables(page, request.sheet, fileName)) yield named(() => page.grid(index), content, numberOf(request, index))
      return
    }
    case 'xlsx': {
      const { openXlsx } = await import('../spreadsheet/xlsx/open-xlsx.ts')
      const { maxUnpackedBytes } = request
      const workbook = await openXlsx(path ?? '', { fileName, ...(maxUnpackedBytes === null ? {} : { maxUnpackedBytes }) })
      const range = request.cellRange === null ? null : parseCellRange(request.cellRange)
      const shownUntilLine = Math.max(request.headerRow ?? 1, range?.firstLine ?? 1) + SHOWN_LINES
      try {
        for (const index of chooseSheets(workbook.sheets, request.sheet, fileName)) {
          const sheet = workbook.sheets[index]?.name ?? null
          const open = (): Grid => {
            let sink: CellSink | null = null
            const emptyFormulas: CellPlace[] = []
            const rows = workbook.readSheet(index, { shownUntilLine, sink: () => sink, emptyFormulas })
            const divert = (given: CellSink): void => {
              sink = given
            }
            return { kind, sheet, names: null, rows, divert, emptyFormulas }
          }
          yield {
            ...named(open, content, sheet),
            cells: (skipHidden) => workbook.readCells(index, skipHidden),
          }
        }
      } finally {
        await workbook.close()
      }
      return
    }
    case 'csv':
      return
    default: {
      const { readWorkbook } = await import('../spreadsheet/read-workbook.ts')
      const { maxUnpackedBytes } = request
      const workbook = await readWorkbook({ path: path ?? '', kind, fileName, ...(maxUnpackedBytes === null ? {} : { maxUnpackedBytes }) })
      for (const index of chooseSheets(workbook.sheets, request.sheet, fileName)) {
        const sheet = workbook.sheets[index]?.name ?? null
        yield {
          ...named(() => workbook.grid(index), content, sheet),
          cells: (skipHidden) => cellsOf(() => workbook.grid(index, true), skipHidden),
        }
      }
    }
  }
}

/** Inside an archive a sheet is called by its file and itself. */
function named(grid: () => Grid | Promise<Grid>, { member }: NamedContent, sheet: string | null): OpenGrid {
  const name = member === null ? sheet : sheet === null ? member : `${member}/${sheet}`
  const open = async (): Promise<Grid> => ({ ...(await grid()), sheet: name })
  return { open, cells: (skipHidden) => cellsOf(open, skipHidden) }
}

async function* cellsOf(open: OpenGrid['open'], skipHidden: boolean): AsyncGenerator<TypedCell[]> {
  const { sheet, rows, emptyFormulas = [] } = await open()
  for await (const batch of rows) {
    emptyFormulas.length = 0
    yield typedCells(sheet, batch, skipHidden)
  }
}

function htmlTables(page: { sheets: SheetName[]; largest: number }, wanted: string | number | null, fileName: string): number[] {
  if (wanted === null) return [page.largest]
  const isKnown = wanted === '*' || page.sheets.some(({ name }, index) => String(wanted) === name || Number(wanted) === index + 1)
  if (!isKnown && !/^\/.*\/$/s.test(String(wanted))) throw htmlTableNotFound(fileName, wanted, page.sheets.length)
  return chooseSheets(page.sheets, wanted, fileName)
}

/** A table of a page is called by its number only where several are read. */
function numberOf({ sheet }: ReadRequest, index: number): string | null {
  return sheet === '*' || /^\/.*\/$/s.test(String(sheet ?? '')) ? String(index + 1) : null
}

async function* piecesOf(content: NamedContent): AsyncGenerator<Uint8Array> {
  yield* content.bytes()
}

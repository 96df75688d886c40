import { basename } from 'node:path'
import { readXls } from './biff/read-xls.ts'
import { readOds } from './ods/read-ods.ts'
import { workbookWithoutSheet } from './refusals.ts'
import type { Workbook } from './workbook.ts'
import { readXlsb } from './xlsb/read-xlsb.ts'
import { readXmlWorkbook } from './xml-grid.ts'

export interface WorkbookSource {
  path: string
  kind: 'xls' | 'xlsb' | 'ods' | 'xml'
  /** For messages. Default: the path's last part. */
  fileName?: string
  /** Of a .xlsb or .ods, unpacked, in bytes. Default 1 GiB. */
  maxUnpackedBytes?: number
}

/**
 * A workbook of any kind but .xlsx, which has a reader of its own.
 * `grid` may be called for several sheets, one after another.
 *
 * @throws PermanentError `workbook_broken`, `workbook_encrypted`, `workbook_too_large`, `workbook_without_sheet`; also from within the rows
 */
export async function readWorkbook(source: WorkbookSource): Promise<Workbook> {
  const { path, kind, fileName = basename(path), maxUnpackedBytes = 1024 ** 3 } = source
  const workbook = await readOfKind({ path, kind, fileName, maxUnpackedBytes })
  if (!workbook.sheets.some(({ hasCells }) => hasCells)) throw workbookWithoutSheet(fileName, workbook.sheets)
  return workbook
}

function readOfKind(source: Required<WorkbookSource>): Promise<Workbook> {
  if (source.kind === 'xls') return readXls(source)
  if (source.kind === 'ods') return readOds(source)
  if (source.kind === 'xml') return readXmlWorkbook(source)
  return readXlsb(source)
}

import { open } from 'node:fs/promises'
import type { CellPlace, Grid, GridRow } from '../../grid.ts'
import { readZipDirectory, type ZipEntry } from '../../zip-file.ts'
import { workbookBroken, workbookTooLarge } from '../refusals.ts'
import type { Workbook } from '../workbook.ts'
import { readPart } from '../xlsx/zip-part.ts'
import { walkXml } from '../xml-walk.ts'
import { createNumberStyles } from './number-styles.ts'
import { createSheetReader } from './sheet-reader.ts'
import { createTableList } from './table-list.ts'

export interface OdsSource {
  path: string
  fileName: string
  /** Its parts, unpacked, in bytes. */
  maxUnpackedBytes: number
}

/**
 * An OpenDocument spreadsheet, packed (.ods) or as one XML file (.fods), read as a stream: its sheets are listed in a first walk, and each sheet is
 * read in a walk of its own. Texts are those of cell-values.ts; dates and times are taken as the file states them; some writers give
 * numbers with a format of dates, which count from the day that the file states.
 *
 * @throws PermanentError `workbook_broken`, `workbook_too_large`; also from within the rows
 */
export async function readOds(source: OdsSource): Promise<Workbook> {
  const { fileName } = source
  const styles = createNumberStyles()
  // Styles with names of their own stand in a part of their own.
  for await (const _ of walkXml(partBytes(source, 'styles.xml'), styles, fileName));
  const list = createTableList(styles)
  for await (const _ of walkXml(partBytes(source, 'content.xml'), list, fileName));
  return {
    sheets: list.tables.map(({ name, isHidden }) => ({ name, isHidden, hasCells: true })),
    grid,
  }

  function grid(index: number, hasTypes = false): Grid {
    const emptyFormulas: CellPlace[] = []
    return {
      kind: 'ods',
      sheet: list.tables[index]?.name ?? '',
      names: null,
      rows: rowsOf(index, hasTypes, emptyFormulas),
      emptyFormulas,
    }
  }

  async function* rowsOf(index: number, hasTypes: boolean, emptyFormulas: CellPlace[]): AsyncGenerator<GridRow[]> {
    const place = list.tables[index]?.place ?? -1
    const reader = createSheetReader({ fileName, place, styles, nullDate: list.nullDate(), hasTypes, emptyFormulas })
    for await (const _ of walkXml(partBytes(source, 'content.xml'), reader, fileName)) {
      yield* reader.takeBatches()
      if (reader.isDone()) return
    }
  }
}

/** A file that is XML itself holds all parts in one. */
async function* partBytes({ path, fileName, maxUnpackedBytes }: OdsSource, part: string): AsyncGenerator<Buffer> {
  const file = await open(path, 'r')
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    if (buffer.toString('latin1', 0, 2) !== 'PK') {
      yield* file.createReadStream({ start: 0, autoClose: false })
      return
    }
    const entries = await readZipDirectory(file)
    if (entries === null) throw workbookBroken(fileName, 'The end of the zip, with its table of contents, is missing.')
    const entry = findEntry(entries, part)
    if (entry === undefined && part === 'styles.xml') yield Buffer.from('<none/>')
    else if (entry === undefined) throw workbookBroken(fileName, `It has no part "${part}".`)
    else if (entry.unpackedBytes > maxUnpackedBytes) {
      throw workbookTooLarge(fileName, `Part "${part}" has ${entry.unpackedBytes} bytes unpacked, allowed are ${maxUnpackedBytes}.`)
    } else yield* readPart({ fileName, file, entries, signal: undefined }, entry)
  } finally {
    await file.close()
  }
}

function findEntry(entries: ZipEntry[], name: string): ZipEntry | undefined {
  return entries.find((entry) => entry.name === name)
}

import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { TakenFile } from '../../src/job/ledgers.ts'
import { openTables } from '../../systemscripts/read-table.ts'
import { csvPathOfSheet, writeCsv } from '../../systemscripts/write-csv.ts'
import type { ImportContext } from './load-file.ts'

/**
 * Writes the tables of a file as CSV beside the place where its bytes are or will be kept: `prices.17.xlsx.csv`, of several sheets
 * `prices.17.xlsx.Q1.csv` and so on. What is a CSV already is written anew only where nothing else is done with it. Each stands in the ledger
 * before it appears, and those of an earlier load that are no more wanted go.
 *
 * @throws those of the file's reader and of writeCsv
 */
export async function writeCsvs({ config: settings, files, log, signal }: ImportContext, file: TakenFile): Promise<void> {
  const whole = `${file.place}.csv`
  await mkdir(dirname(whole), { recursive: true })
  const taken = new Set<string>()
  const paths: string[] = []
  let firstSheet: string | null = null
  for await (const table of openTables(file.bytesAt, { ...settings.reading, signal })) {
    if (table.kind === 'csv' && settings.targetTable !== null) continue
    const isSecond = paths[0] === whole
    if (isSecond) paths[0] = csvPathOfSheet(whole, firstSheet ?? '', taken)
    firstSheet ??= table.sheet
    const path = paths.length === 0 ? whole : csvPathOfSheet(whole, table.sheet ?? '', taken)
    paths.push(path)
    await files.keepCsv(file, [...new Set([...file.csvPaths, ...(isSecond ? [whole] : []), ...paths])])
    if (isSecond) await rename(whole, paths[0] ?? whole)
    await removeDrafts(path)
    const { rows, warnings } = await writeCsv(table, path, { signal })
    log(`File "${file.name}" is kept as "${basename(path)}"`, { rows, sheet: table.sheet }, { step: file.name })
    // Where it is loaded as well, the load says so.
    if (settings.targetTable === null)
      for (const warning of warnings) log(warning, { sheet: table.sheet }, { step: file.name, level: 'warning' })
  }
  if (paths.length + file.csvPaths.length === 0) return
  const former = file.csvPaths.filter((path) => !paths.includes(path))
  for (const path of former) await rm(path, { force: true })
  await files.keepCsv(file, paths)
}

/** Of an attempt that was killed while it wrote. */
async function removeDrafts(path: string): Promise<void> {
  const isDraft = (name: string) => name.startsWith(`.${basename(path)}.`) && name.endsWith('.part')
  for (const name of (await readdir(dirname(path))).filter(isDraft)) await rm(join(dirname(path), name), { force: true })
}

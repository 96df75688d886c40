import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { TakenFile } from '../../src/job/ledgers.ts'
import { openTables } from '../../systemscripts/read-table.ts'
import { csvPathOfSheet, writeCsv } from '../../systemscripts/write-csv.ts'
import type { ImportContext } from './load-file.ts'

/**
 * Writes the tables of a file as CSV beside the place where its bytes are or will be kept: `prices.17.xlsx.csv`, of several sheets
 * `prices.17.xlsx.Q1.csv` and so on. What is a CSV already is written anew only where nothing else is done with it.
 *
 * @returns the paths
 * @throws those of the file's reader and of writeCsv; then nothing stays
 */
export async function writeCsvs({ config: settings, folder, log, signal }: ImportContext, file: TakenFile): Promise<string[]> {
  const isArchived = file.bytesAt.startsWith(folder(settings.archiveFolder))
  const whole = `${isArchived ? file.bytesAt : file.place}.csv`
  await mkdir(dirname(whole), { recursive: true })
  const taken = new Set<string>()
  const paths: string[] = []
  let firstSheet: string | null = null
  try {
    for await (const table of openTables(file.bytesAt, { ...settings.reading, signal })) {
      if (table.kind === 'csv' && settings.targetTable !== null) continue
      if (paths[0] === whole) {
        paths[0] = csvPathOfSheet(whole, firstSheet ?? '', taken)
        await rename(whole, paths[0])
      }
      firstSheet ??= table.sheet
      const path = paths.length === 0 ? whole : csvPathOfSheet(whole, table.sheet ?? '', taken)
      paths.push(path)
      const { rows } = await writeCsv(table, path, { signal })
      log(`File "${file.name}" is kept as "${basename(path)}"`, { rows, sheet: table.sheet }, { step: file.name })
    }
    return paths
  } catch (error) {
    await removeCsvs(paths)
    throw error
  }
}

export async function removeCsvs(paths: string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true })
}

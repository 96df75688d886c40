import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { dayIn } from '../../src/job/calendar-day.ts'
import type { JobContext } from '../../src/job/define-job.ts'
import type { ArrivedFile, FixedRows, Keeping, TakenFile } from '../../src/job/ledgers.ts'
import { type FileToLoad, factsOf, joinFixedRows, loadRows } from '../../src/job/load-rows.ts'
import type { Scan } from '../../src/job/scans.ts'
import { openTables } from '../../systemscripts/read-table.ts'
import type { Table } from '../../systemscripts/table.ts'
import type { Check } from '../../systemscripts/table-loader/checks.ts'
import { nothingLoaded } from '../../systemscripts/table-loader/load.ts'
import { emptyTable } from './empty-table.ts'
import { inOurWords } from './in-our-words.ts'
import type { ScrapeSettings } from './settings.ts'
import { commonLabel, isLabelOfItem, plainName } from './templates.ts'

export type ScrapeContext = JobContext<ScrapeSettings>

/** Where the files of a config lie while they are made. */
export function spoolFolder({ config, folder }: Pick<ScrapeContext, 'config' | 'folder'>): string {
  return folder(join('scrape', plainName(config.configName)))
}

/**
 * Loads what a scan has read: each label as one dataset, by way of a file of its rows that is kept as an import's file is. A label that was
 * dealt with before a crash is not loaded again.
 *
 * @param doubts why the rows are not to be trusted: they go into quarantine
 * @param isWhole whether every page was read; else only labels of ids that miss none are loaded
 */
export async function loadScan(context: ScrapeContext, scan: Scan, doubts: string[], isWhole: boolean): Promise<void> {
  const { config: settings, files, run } = context
  if (!isWhole && !isLabelOfItem(settings)) return
  const spool = spoolFolder(context)
  await mkdir(spool, { recursive: true })
  const moment = typeof run.args.as_of === 'string' ? new Date(run.args.as_of) : scan.begunAt
  const datasetDate = dayIn(settings.sourceZone, moment)
  const labels = await scan.labels({ isComplete: !isWhole, withEmpty: isLabelOfItem(settings) })
  // That there is nothing at all is a dataset to judge as well.
  if (labels.length === 0 && doubts.length > 0) labels.push({ label: commonLabel(settings), position: 0 })
  for (const { label, position } of labels) {
    const path = join(spool, `${plainName(label)}_${scan.scanId}_${position}.ndjson`)
    // What is in the ledger and gone from here was dealt with.
    if ((await files.metBy(path)) === null || (await isFile(path))) {
      await writeRows(scan, label, path)
      await takeFile(context, { ...(await arrivedFile(path)), former: { label, datasetDate } }, doubts)
    }
    // What waits for another attempt keeps its rows.
    if ((await files.metBy(path)) !== null) await scan.loaded(label)
  }
}

/** Takes a file of rows up: one that has just been written, or one that a person wants loaded again. */
export async function takeFile(context: ScrapeContext, file: ArrivedFile, doubts: string[] = []): Promise<void> {
  const { config: settings, files } = context
  const { label, datasetDate } = file.former ?? { label: settings.configName, datasetDate: dayIn(settings.sourceZone, file.modifiedAt) }
  const checks = doubts.map((expression): Check => ({ ...noCheck, checkName: 'usual numbers', kind: 'seen', expression }))
  await files.take(file, keepingOf(context), async (taken) => {
    const open = () => openRows(context, taken.bytesAt)
    if (doubts.length > 0 && taken.sizeBytes === 0)
      return await holdNothing(context, taken, { name: taken.name, open, label, datasetDate }, doubts)
    const judged = { ...context, config: { ...settings, rules: { ...settings.rules, checks } } }
    await loadRows(judged, taken, { name: taken.name, open, label, datasetDate }).catch(rethrow)
  })
}

/** That there are no rows is not to be trusted: a dataset without rows waits for a decision, and what is in force stays. */
async function holdNothing(context: ScrapeContext, file: TakenFile, what: FileToLoad, doubts: string[]): Promise<void> {
  const reason = `${doubts.join('. ')}.`
  await context.datasets.load(file, factsOf(context, what), (host) =>
    host.commit(async () => ({ ...nothingLoaded('empty', reason), state: 'quarantined' })),
  )
  context.log(`File "${what.name}" is quarantined`, { reason }, { step: what.name, level: 'warning' })
}

/** Rows that people corrected since their file was loaded join it. */
export async function joinCorrections(context: ScrapeContext, fixed: FixedRows): Promise<void> {
  await joinFixedRows(context, fixed, () => openRows(context, fixed.keptPath)).catch(rethrow)
}

async function* openRows({ config: settings, signal }: ScrapeContext, path: string): AsyncGenerator<Table> {
  const columns = settings.fields.flatMap(({ columnName, stateWord }) => (stateWord === null ? [columnName] : []))
  if ((await stat(path)).size === 0) yield emptyTable(columns)
  else yield* openTables(path, { kind: 'json', signal })
}

function rethrow(error: unknown): never {
  throw inOurWords(error)
}

/** The same rows on another day are another dataset. */
export function keepingOf({ config, folder }: ScrapeContext): Keeping {
  return { archiveFolder: folder(config.archiveFolder), failedFolder: folder(config.failedFolder), loadsSameBytes: true }
}

const noCheck = { columnName: null, allowed: [], low: null, high: null, severity: 'quarantine' as const }

async function arrivedFile(path: string): Promise<ArrivedFile> {
  const { size, mtime } = await stat(path)
  return { path, name: basename(path), sizeBytes: size, modifiedAt: mtime }
}

/** One row a line, appearing whole or not at all. A label without rows is an empty file. */
async function writeRows(scan: Scan, label: string, path: string): Promise<void> {
  const part = `${path}.part`
  const stream = createWriteStream(part, { flush: true })
  const written = finished(stream)
  for await (const rows of scan.rowsOf(label)) {
    if (!stream.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))) await Promise.race([once(stream, 'drain'), written])
  }
  stream.end()
  await written
  await rename(part, path)
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { JobContext } from '../../src/job/define-job.ts'
import type { ArrivedFile, DatasetFacts, TakenFile } from '../../src/job/ledgers.ts'
import type { Count, Scan } from '../../src/job/scans.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { openTables } from '../../systemscripts/read-table.ts'
import type { Check } from '../../systemscripts/table-loader/checks.ts'
import { loadTables } from '../../systemscripts/table-loader.ts'
import type { ScrapeSettings } from './settings.ts'

export type ScrapeContext = JobContext<ScrapeSettings>

/** Owner of the tables that data is loaded into. */
const ownerRole = 'rota_target'

/**
 * Loads what a scan has read: each label as one dataset, by way of a file of its rows that is kept as an import's file is. A label that was
 * loaded before a crash is not loaded again.
 */
export async function loadScan(context: ScrapeContext, scan: Scan, checks: Check[]): Promise<void> {
  const { config: settings, files, folder } = context
  const spool = folder(join('scrape', folderName(settings.configName)))
  await mkdir(spool, { recursive: true })
  for (const label of await scan.labels()) {
    const path = join(spool, `${scan.scanId}_${folderName(label)}.ndjson`)
    if (!(await files.hasMet(path)) || (await isFile(path))) {
      await writeRows(scan, label, path, settings)
      await takeFile(context, await arrivedFile(path), label, checks)
    }
    await scan.loaded(label)
  }
}

/** Takes a file of rows up, as one that has just been written or one that a person wants loaded again. */
export async function takeFile(context: ScrapeContext, file: ArrivedFile, label: string, checks: Check[]): Promise<void> {
  const { config: settings, files, folder } = context
  const keeping = { archiveFolder: folder(settings.archiveFolder), failedFolder: folder(settings.failedFolder), loadsSameBytes: true }
  await files.take(file, keeping, (taken) => loadFile(context, taken, label, checks))
}

async function arrivedFile(path: string): Promise<ArrivedFile> {
  const { size, mtime } = await stat(path)
  return { path, name: path.replace(/^.*[/\\]/, ''), sizeBytes: size, modifiedAt: mtime }
}

async function loadFile(context: ScrapeContext, file: TakenFile, label: string, checks: Check[]): Promise<void> {
  const { config: settings, connections, datasets, log, signal } = context
  const facts = factsOf(context, label)
  const loaded = await datasets.load(file, facts, (host) =>
    loadTables(host, {
      open: () => openTables(file.bytesAt, { kind: 'json', signal }),
      columns: settings.fields.filter(({ stateWord }) => stateWord === null).map(({ column }) => column),
      checks,
      fileName: file.name,
      target: facts.targetTable,
      nameRule: 'readable',
      policy: settings.policy,
      mode: settings.mode,
      keyColumns: settings.keyColumns,
      onDuplicateKey: settings.onDuplicateKey,
      maxRejects: settings.maxRejects,
      maxRejectPercent: settings.maxRejectPercent,
      datasetColumn: settings.datasetColumn,
      label: facts.label,
      date: facts.datasetDate,
      sourceZone: settings.sourceZone,
      emptyWhen: null,
      ownerRole,
      expressionRole: 'rota_job',
      expressionUrl: connections.jobDatabaseUrl,
      signal,
    }),
  )
  const { rowsRead, rowsInserted, rowsUpdated, rejects, state, reason } = loaded
  const data = {
    rows_read: rowsRead,
    rows_written: rowsInserted + rowsUpdated,
    rows_rejected: rejects.count,
    ...(reason === null ? {} : { reason }),
  }
  const level = state === 'active' || state === 'empty' ? 'info' : 'warning'
  log(`Rows of "${label}" are ${state === 'active' ? 'loaded' : state}`, data, { step: label, level })
}

function factsOf({ config: settings, run }: ScrapeContext, label: string): DatasetFacts {
  const { datasource, datasettype, targetTable, mode, keyColumns, sourceZone } = settings
  if (targetTable === null)
    throw new PermanentError('setting_invalid', 'target_table of dba.scrapeconfig is empty', { hint: 'Write schema.table.' })
  const moment = typeof run.args.as_of === 'string' ? new Date(run.args.as_of) : new Date()
  return { datasource, datasettype, targetTable, mode, keyColumns, label, datasetDate: dayIn(sourceZone, moment) }
}

/** One row a line, appearing whole or not at all. */
async function writeRows(scan: Scan, label: string, path: string, { fields }: ScrapeSettings): Promise<void> {
  const columns = fields.filter(({ stateWord }) => stateWord === null).map(({ columnName }) => columnName)
  const part = `${path}.part`
  const stream = createWriteStream(part, { flush: true })
  for await (const rows of scan.rowsOf(label)) {
    const lines = rows.map((row) => `${JSON.stringify(Object.fromEntries(columns.map((name) => [name, row[name] ?? null])))}\n`)
    if (!stream.write(lines.join(''))) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
  await rename(part, path)
}

/** What falls below the usual is held back. */
export function bandChecks({ lowBandPercent, fields }: ScrapeSettings, usual: Map<string, Count>): Check[] {
  if (lowBandPercent === null) return []
  const check = { columnName: null, expression: null, allowed: [], low: null, high: null, severity: 'quarantine' as const }
  const rows = usual.get('rows')
  const least = rows === undefined ? 0 : Math.ceil((rows.matched * lowBandPercent) / 100)
  const counts = least > 0 ? [{ ...check, checkName: 'usual number of rows', kind: 'min_rows' as const, low: least }] : []
  const fills = fields.flatMap(({ columnName, stateWord }) => {
    const fill = usual.get(columnName)
    if (stateWord !== null || fill === undefined || fill.pages === 0 || fill.matched === 0) return []
    const share = 1 - ((fill.matched / fill.pages) * lowBandPercent) / 100
    return [{ ...check, checkName: `usual fill of ${columnName}`, kind: 'null_share' as const, columnName, high: share }]
  })
  return [...counts, ...fills]
}

function dayIn(timeZone: string, moment: Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(moment)
}

function folderName(name: string): string {
  return name.replaceAll(/[/\\\p{Cc}]|^[.]+/gu, '_').slice(0, 100)
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

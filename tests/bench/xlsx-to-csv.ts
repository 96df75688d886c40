/**
 * Run as a process of its own by the bench, so that its time and memory are its own: <reader> <workbook> <csv> [<folder of peers>]. Prints what it
 * took.
 */
import { createWriteStream, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'

const [reader = '', workbook = '', csv = '', peers = ''] = process.argv.slice(2)
const readers: Record<string, () => Promise<void>> = { rota: byRota, sheetjs: bySheetJs, exceljs: byExcelJs }
const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()
await readers[reader]?.()

const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6
console.log(JSON.stringify({ cpuSeconds, peakMiB: (ownPeakKiB() ?? maxRSS) / 1024, lateSeconds: delay.max / 1e9 }))

/** What Linux says of the most memory used reaches back to the process that started this one; this does not. */
function ownPeakKiB(): number | null {
  if (process.platform !== 'linux') return null
  return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? Number.NaN) || null
}

/** As `rota convert` does it. */
async function byRota(): Promise<void> {
  const { readTable } = await import('../../systemscripts/read-table.ts')
  const { writeCsv } = await import('../../systemscripts/write-csv.ts')
  await writeCsv(await readTable(workbook), csv)
}

async function bySheetJs(): Promise<void> {
  const XLSX = await import('xlsx')
  const { readFile } = await import('node:fs/promises')
  const book = XLSX.read(await readFile(workbook), { type: 'buffer', dense: true, cellDates: false, cellNF: true, cellText: false })
  const sheet = book.Sheets[book.SheetNames[0] ?? '']
  if (sheet === undefined) throw new Error('no sheet')
  XLSX.stream.set_readable(Readable)
  await pipeline(XLSX.stream.to_csv(sheet, { dateNF: 'yyyy-mm-dd hh:mm:ss' }), createWriteStream(csv))
}

interface ExcelJs {
  stream: { xlsx: { WorkbookReader: new (path: string, options: object) => AsyncIterable<AsyncIterable<{ values: unknown[] }>> } }
}

async function byExcelJs(): Promise<void> {
  const found = createRequire(join(peers, 'package.json')).resolve('exceljs')
  const { default: exceljs }: { default: ExcelJs } = await import(pathToFileURL(found).href)
  const book = new exceljs.stream.xlsx.WorkbookReader(workbook, {
    worksheets: 'emit',
    sharedStrings: 'cache',
    styles: 'cache',
    hyperlinks: 'ignore',
  })
  await pipeline(Readable.from(csvLines(book), { objectMode: false }), createWriteStream(csv))
}

async function* csvLines(book: AsyncIterable<AsyncIterable<{ values: unknown[] }>>): AsyncGenerator<string> {
  let lines = ''
  for await (const sheet of book) {
    for await (const { values } of sheet) {
      lines += `${values.slice(1).map(csvField).join(',')}\n`
      if (lines.length < 64 * 1024) continue
      yield lines
      lines = ''
    }
  }
  yield lines
}

function csvField(value: unknown): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? '')
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

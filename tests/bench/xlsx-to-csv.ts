/** Run as a process of its own by the bench, so that its time and memory are its own: <reader> <workbook> <csv>. Prints what it took. */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

const [reader = '', workbook = '', csv = '']: string[] = isMainThread ? process.argv.slice(2) : workerData
if (reader === 'sheetjs') await bySheetJs()
else if (isMainThread) await inThread()
else await pipeline(Readable.from(csvOfRows(), { objectMode: false }), createWriteStream(csv))

if (isMainThread) {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  console.log(JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMiB: maxRSS / 1024 }))
}

/** With the limits of the thread that reads for the worker. */
async function inThread(): Promise<void> {
  const limits = { maxOldGenerationSizeMb: 2048, maxYoungGenerationSizeMb: 16 }
  const thread = new Worker(new URL(import.meta.url), { workerData: process.argv.slice(2), resourceLimits: limits })
  await new Promise((done, failed) => thread.once('exit', done).once('error', failed))
}

async function* csvOfRows(): AsyncGenerator<string> {
  const { openXlsx } = await import('../../systemscripts/spreadsheet/xlsx/open-xlsx.ts')
  const opened = await openXlsx(workbook)
  for await (const rows of opened.readSheet(0, { shownUntilLine: 200 })) {
    let text = ''
    for (const { cells } of rows) {
      for (let column = 0; column < cells.length; column += 1) {
        const cell = cells[column] ?? ''
        text += `${column === 0 ? '' : ','}${/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell}`
      }
      text += '\n'
    }
    yield text
  }
  await opened.close()
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

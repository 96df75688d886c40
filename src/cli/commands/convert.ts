import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { openTables, type ReadTableOptions } from '../../../systemscripts/read-table.ts'
import type { Table } from '../../../systemscripts/table.ts'
import { csvPathOfSheet, writeCsv } from '../../../systemscripts/write-csv.ts'
import { type Call, type Command, countIn, WrongCommandLine } from '../command.ts'
import { plain } from '../print-table.ts'
import { createProgressBar } from '../progress-bar.ts'
import { listenForStop } from '../stop-signals.ts'

export const convert: Command = {
  name: 'convert',
  words: ['<file>', '<csv>'],
  summary: 'Convert a spreadsheet, or any file that the import reads, to CSV.',
  description: [
    'rota convert prices.xlsx prices.csv',
    'rota convert prices.xlsx - --sheet Q1 | head',
    'rota convert prices.xlsx prices.csv --all-sheets    writes prices.Q1.csv, prices.Q2.csv …',
    '',
    'What the file is, is told by its bytes. The CSV is UTF-8 with commas; an empty cell is nothing, empty text is "".',
    'Columns without a name that have values below the first rows are called by their place, such as column_5.',
    'It appears under its name when it is whole and replaces one that was there. No database is needed.',
  ].join('\n'),
  options: {
    sheet: { value: 'sheet', summary: 'Name or number of the sheet, or /pattern/ (default: the first visible one).' },
    'all-sheets': { summary: 'One file for each visible sheet, or for each member of an archive.' },
    'header-row': { value: 'line', summary: 'Line of the column names, from 1 (default: found).' },
    'header-rows': { value: 'count', summary: 'How many lines the names take (default 1).' },
    range: { value: 'cells', summary: 'Part of the sheet, such as B3:K200 or B:K.' },
    delimiter: { value: 'character', summary: 'Of a CSV that is read (default: detected).' },
    encoding: { value: 'name', summary: 'Of a CSV or web page that is read (default: detected).' },
  },
  async run(call) {
    const [from = '', to = ''] = call.words
    const toAll = call.has('all-sheets')
    if (to !== '-' && resolve(from) === resolve(to)) throw wrong('The file cannot be replaced by its own conversion', 'Name another file.')
    if (toAll && (to === '-' || call.text('sheet') !== undefined))
      throw wrong('--all-sheets goes neither with --sheet nor with the standard output', 'Leave one of them out.')
    const { headerRows, ...options } = { ...readingOptions(call), headerRows: countIn(call, 'header-rows', { least: 1, most: 5 }) }
    await refuseMissing(from)
    const stop = new AbortController()
    const signals = listenForStop(call.deps.env)
    signals.first.then((signal) => stop.abort(stopped(signal)))
    call.out.closed.addEventListener('abort', () => stop.abort(stopped('EPIPE')))
    try {
      await convertAll(call, { ...options, ...(headerRows === undefined ? {} : { headerRows }), signal: stop.signal }, stop.signal)
      return 0
    } catch (error) {
      // whoever read the standard output has seen enough
      if (call.out.closed.aborted) return 0
      throw error
    } finally {
      signals.release()
    }
  },
}

function readingOptions(call: Call): ReadTableOptions {
  const sheet = call.text('sheet')
  return {
    sheet: call.has('all-sheets') ? '*' : sheet === undefined ? null : /^[1-9]\d*$/.test(sheet) ? Number(sheet) : sheet,
    headerRow: countIn(call, 'header-row', { least: 1, most: 1_000_000_000 }) ?? null,
    cellRange: call.text('range') ?? null,
    delimiter: call.text('delimiter') ?? null,
    encoding: call.text('encoding') ?? null,
  }
}

async function convertAll(call: Call, options: ReadTableOptions, signal: AbortSignal): Promise<void> {
  const [from = '', to = ''] = call.words
  const taken = new Set<string>()
  for await (const table of openTables(from, options)) {
    if (to === '-') {
      warn(call, table, await writeOut(call, table, signal))
      return
    }
    const path = call.has('all-sheets') ? csvPathOfSheet(to, table.sheet ?? '', taken) : to
    const bar = createProgressBar(call.err)
    const { rows, columns, warnings } = await writeCsv(table, path, {
      signal,
      onRows: (count) => bar.show(null, `${basename(path)}: ${count.toLocaleString('en')} rows`),
    }).finally(bar.clear)
    const source = table.sheet === null ? table.kind : `sheet "${table.sheet}" (${table.kind})`
    call.out.line(plain(`${path}: ${rows} rows, ${columns} columns, from ${source}, header in line ${table.headerLine}`))
    warn(call, table, warnings)
    if (!call.has('all-sheets')) return
  }
}

/** The standard output may be a pipe to a program that wants the CSV alone. */
function warn({ err }: Call, { sheet }: Table, warnings: string[]): void {
  for (const warning of warnings) err.line(plain(`WARNING:  ${sheet === null ? '' : `Sheet "${sheet}": `}${warning}`))
}

/** Only when the last row has been read all columns are known, and what has been written out cannot be taken back. */
async function writeOut({ deps: { stdout }, out }: Call, table: Table, signal: AbortSignal): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-convert-'))
  try {
    const path = join(folder, 'out.csv')
    const { warnings } = await writeCsv(table, path, { signal })
    for await (const bytes of createReadStream(path, { highWaterMark: 256 * 1024 })) {
      if (out.closed.aborted) return []
      if (!stdout.write(bytes)) await drained(stdout, out.closed)
    }
    return warnings
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** As fast as the reader takes it. */
function drained(stdout: Call['deps']['stdout'], closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    stdout.once('drain', resolve)
    stdout.once('close', resolve)
    closed.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function refuseMissing(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isFile()) return
  throw new PermanentError('file_missing', `${found === null ? 'There is no file' : 'This is no file:'} "${path}"`, {
    hint: `Write the path as seen from ${process.cwd()}.`,
  })
}

function stopped(signal: string): PermanentError {
  return new PermanentError('conversion_stopped', 'The conversion was stopped', { detail: `By ${signal}. Nothing is left of it.` })
}

function wrong(message: string, hint: string): WrongCommandLine {
  return new WrongCommandLine('wrong_words', message, { hint })
}

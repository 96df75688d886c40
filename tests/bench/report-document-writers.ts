/**
 * Run as a process of its own by the bench, so that its time and memory are its own: <writer> <file> <rows> [<folder of peers>]. Makes the rows while
 * it writes and prints what it took.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import type { RowSource } from '../../systemscripts/documents/row-source.ts'

const [writer = '', path = '', count = '0', peers = ''] = process.argv.slice(2)
const rowCount = Number(count)
const writers: Record<string, () => Promise<void>> = {
  'rota-xlsx': rotaXlsx,
  'rota-csv': rotaCsv,
  'rota-json': rotaJson,
  exceljs: byExcelJs,
}

const COLUMNS: [name: string, typeOid: number][] = [
  ['trade_id', 20],
  ['account', 25],
  ['customer', 25],
  ['city', 25],
  ['traded_on', 1082],
  ['traded_at', 1114],
  ['price', 1700],
  ['quantity', 23],
  ['is_open', 16],
  ['currency', 25],
  ['reference', 25],
  ['remark', 25],
]
const CITIES = ['Kraków', 'Łódź', 'Zürich', 'São Paulo', 'London', 'New York', 'Wien', 'Göteborg']

const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()
const begun = performance.now()
await writers[writer]?.()
const seconds = (performance.now() - begun) / 1000
const { userCPUTime, systemCPUTime } = process.resourceUsage()
const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6
console.log(JSON.stringify({ seconds, cpuSeconds, peakMiB: peakKiB() / 1024, lateSeconds: delay.max / 1e9 }))

/** What Linux says of the most memory used reaches back to the process that started this one; this does not. */
function peakKiB(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS
  return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

async function rotaXlsx(): Promise<void> {
  const { xlsxDocument } = await import('../../systemscripts/documents/xlsx-document.ts')
  const { saveDocument } = await import('../../systemscripts/documents/document.ts')
  await saveDocument(xlsxDocument(source(), { name: 'trades' }), path)
}

async function rotaCsv(): Promise<void> {
  const { csvDocument } = await import('../../systemscripts/documents/csv-document.ts')
  const { saveDocument } = await import('../../systemscripts/documents/document.ts')
  await saveDocument(csvDocument(source()), path)
}

async function rotaJson(): Promise<void> {
  const { jsonDocument } = await import('../../systemscripts/documents/json-document.ts')
  const { saveDocument } = await import('../../systemscripts/documents/document.ts')
  await saveDocument(jsonDocument(source()), path)
}

interface ExcelJs {
  Workbook: new () => {
    addWorksheet(name: string): { addRow(values: unknown[]): void }
    xlsx: { writeFile(path: string): Promise<void> }
  }
}

/** The ordinary writer, with values of their types. */
async function byExcelJs(): Promise<void> {
  const found = createRequire(join(peers, 'package.json')).resolve('exceljs')
  const { default: exceljs }: { default: ExcelJs } = await import(pathToFileURL(found).href)
  const book = new exceljs.Workbook()
  const sheet = book.addWorksheet('trades')
  sheet.addRow(COLUMNS.map(([name]) => name))
  for (let number = 1; number <= rowCount; number += 1) sheet.addRow(row(number).map(typed))
  await book.xlsx.writeFile(path)
}

function typed(value: string | null, at: number): unknown {
  const oid = COLUMNS[at]?.[1]
  if (value === null || oid === 25) return value
  if (oid === 16) return value === 't'
  return oid === 1082 || oid === 1114 ? new Date(`${value.replace(' ', 'T')}Z`) : Number(value)
}

function source(): RowSource {
  return { columns: COLUMNS.map(([name, typeOid]) => ({ name, typeOid })), rows: batches() }
}

async function* batches(): AsyncGenerator<(string | null)[][]> {
  for (let from = 1; from <= rowCount; from += 1000) {
    yield Array.from({ length: Math.min(1000, rowCount - from + 1) }, (_, at) => row(from + at))
  }
}

/** As Postgres writes it. */
function row(number: number): (string | null)[] {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `2026-${two(1 + (number % 12))}-${two(1 + (number % 28))}`
  return [
    String(number),
    `00${(number * 7919) % 100_000}`,
    `Customer, "${(number * 104_729) % 999_983}" & Söhne`,
    CITIES[number % CITIES.length] ?? '',
    day,
    `${day} ${two(number % 24)}:${two(number % 60)}:00`,
    (number * 1.2345).toFixed(4),
    String(number % 1000),
    number % 3 === 0 ? 't' : 'f',
    'EUR',
    `550e8400-e29b-41d4-a716-${String(number).padStart(12, '0')}`,
    number % 5 === 0 ? `two lines\nof remark ${number}` : null,
  ]
}

/**
 * The answer of a query, 100,000 rows by 12 columns, becomes a workbook: as reports attach it, by exceljs' ordinary writer and by pandas' to_excel,
 * whichever of them this machine has; and CSV and JSON as reports attach them. Each in a process of its own, in turns. Ours and exceljs' make their
 * rows meanwhile; pandas has them before its time begins.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench, Measurement } from './bench-server.ts'

const run = promisify(execFile)
const ROWS = 100_000
/** Of ours, before, between and after the peers; the median counts. */
const ROUNDS = 3
const PYTHON = '/usr/bin/python3'

const PANDAS = `
import json, resource, sys, time
import pandas
n = int(sys.argv[2])
days = pandas.Series(pandas.Timestamp('2026-01-01') + pandas.to_timedelta(range(n), unit='min'))
frame = pandas.DataFrame({
  'trade_id': range(n), 'account': ['00%d' % (i * 7919 % 100000) for i in range(n)],
  'customer': ['Customer, "%d" & Söhne' % (i * 104729 % 999983) for i in range(n)], 'city': ['Kraków', 'Łódź', 'London', 'Wien'] * (n // 4),
  'traded_on': days.dt.date, 'traded_at': days, 'price': [i * 1.2345 for i in range(n)], 'quantity': [i % 1000 for i in range(n)],
  'is_open': [i % 3 == 0 for i in range(n)], 'currency': ['EUR'] * n, 'reference': ['550e8400-e29b-41d4-a716-%012d' % i for i in range(n)],
  'remark': [None if i % 5 else 'two lines\\nof remark %d' % i for i in range(n)],
})
begun, used = time.monotonic(), time.process_time()
frame.to_excel(sys.argv[1], index=False)
print(json.dumps({'seconds': time.monotonic() - begun, 'cpuSeconds': time.process_time() - used,
  'peakMiB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`

export interface Taken {
  seconds: number
  cpuSeconds: number
  peakMiB: number
  lateSeconds?: number
}

export const reportDocuments: Bench = async (_server, say) => {
  const folder = await mkdtemp(join(tmpdir(), 'rota-bench-'))
  const byNode = (writer: string) => () => byWriter(writer, join(folder, 'report'), ROWS)
  try {
    const own: Taken[] = []
    const measurements: Measurement[] = []
    const others = {
      'exceljs, ordinary writer': hasExcelJs(say) ? byNode('exceljs') : null,
      'pandas to_excel': () => byPandas(join(folder, 'report.xlsx'), ROWS),
    }
    for (const [name, write] of Object.entries(others)) {
      own.push(await byNode('rota-xlsx')())
      const peer = await write?.().catch((error: Error) => say(`${name} is not measured: ${error.message.split('\n').at(-2)}`))
      if (peer) measurements.push({ what: `xlsx by ${name}`, value: inWords(peer), ratio: ratio(peer, median(own)) })
    }
    while (own.length < ROUNDS) own.push(await byNode('rota-xlsx')())
    measurements.unshift({ what: 'xlsx by Rota', value: inWords(median(own)), ratio: '' })
    for (const kind of ['csv', 'json'])
      measurements.push({ what: `${kind} by Rota`, value: inWords(await byNode(`rota-${kind}`)()), ratio: '' })
    for (const { what, value, ratio: times } of measurements) say(`${what}: ${value} ${times}`)
    return measurements
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** One that is no dependency of the project. */
export function hasExcelJs(say: (line: string) => void): boolean {
  const folder = process.env.ROTA_BENCH_PEERS ?? ''
  try {
    return folder !== '' && createRequire(join(folder, 'package.json')).resolve('exceljs') !== ''
  } catch {
    return false
  } finally {
    if (folder === '') say('exceljs is left out: npm install --prefix <folder> exceljs, and name the folder in ROTA_BENCH_PEERS')
  }
}

/** One of report-document-writers.ts. */
export async function byWriter(writer: string, path: string, rows: number): Promise<Taken> {
  const peers = process.env.ROTA_BENCH_PEERS ?? ''
  return await taken(process.execPath, [join(import.meta.dirname, 'report-document-writers.ts'), writer, path, `${rows}`, peers])
}

/** pandas' to_excel, of rows that it has before its time begins. */
export async function byPandas(path: string, rows: number): Promise<Taken> {
  return await taken(PYTHON, ['-c', PANDAS, path, `${rows}`])
}

export async function taken(program: string, args: string[]): Promise<Taken> {
  const { stdout } = await run(program, args)
  const used: Taken = JSON.parse(stdout)
  return used
}

export function median(runs: readonly Taken[]): Taken {
  const middle = runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

function ratio(peer: Taken, own: Taken): string {
  return `${(peer.seconds / own.seconds).toFixed(1)} x ours, cpu ${(peer.cpuSeconds / own.cpuSeconds).toFixed(1)} x`
}

function inWords({ seconds, cpuSeconds, peakMiB, lateSeconds }: Taken): string {
  const late = lateSeconds === undefined ? '' : `, timers late by ${lateSeconds.toFixed(2)} s at most`
  return `${Math.round(ROWS / seconds)} rows/s, ${seconds.toFixed(2)} s, cpu ${cpuSeconds.toFixed(2)} s, ${peakMiB.toFixed(0)} MiB${late}`
}

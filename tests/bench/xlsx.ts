/**
 * Workbooks of 100,000 and 500,000 rows by 12 columns become CSV: as `rota convert` does it, by SheetJS, and by whichever of exceljs, openpyxl,
 * xlsx2csv and LibreOffice this machine has. Then a .xls (BIFF8) of 65,000 rows as `rota convert` does it and by SheetJS. Each in a process of its
 * own, one after the other. Those on Node have a compile cache, as `rota` has.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench, Measurement } from './bench-server.ts'
import { writeXls } from './xls-file.ts'
import { writeXlsx } from './xlsx-file.ts'

const run = promisify(execFile)
const SIZES = [100_000, 500_000]
const XLS_ROWS = 65_000
/** Of the readers on Node; the fastest counts. */
const ROUNDS = 3
const PYTHON = '/usr/bin/python3'

interface Taken {
  seconds: number
  cpuSeconds: number
  peakMiB: number
  /** Of readers on Node: how late a timer of the process was at most, and so a heartbeat of a worker. */
  lateSeconds?: number
}

const OPENPYXL = `
import csv, sys, openpyxl
rows = openpyxl.load_workbook(sys.argv[1], read_only=True).worksheets[0].iter_rows(values_only=True)
csv.writer(open(sys.argv[2], 'w', newline='')).writerows(rows)
`

/** Time and memory of another program and all it starts. */
const WATCH = `
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({'cpuSeconds': used.ru_utime + used.ru_stime, 'peakMiB': used.ru_maxrss / 1024}))
sys.exit(code)
`

export const xlsx: Bench = async (_server, say) => {
  const folder = await mkdtemp(join(tmpdir(), 'rota-bench-'))
  const workbook = join(folder, 'book.xlsx')
  const xls = join(folder, 'book.xls')
  const peers = process.env.ROTA_BENCH_PEERS ?? ''
  if (!isInstalled('exceljs', peers))
    say('exceljs is left out: npm install --prefix <folder> exceljs, and name the folder in ROTA_BENCH_PEERS')
  try {
    const measurements: Measurement[] = []
    for (const rows of SIZES) {
      await writeXlsx(workbook, rows)
      measurements.push(...(await measure(`xlsx, ${rows} rows`, workbook, readers(workbook, folder, peers), say)))
    }
    await writeXls(xls, XLS_ROWS)
    const { Rota, SheetJS } = readers(xls, folder, '')
    return [...measurements, ...(await measure(`xls, ${XLS_ROWS} rows`, xls, { Rota, SheetJS }, say))]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Readers = Record<string, (() => Promise<Taken>) | undefined>

async function measure(what: string, workbook: string, peers: Readers, say: (line: string) => void): Promise<Measurement[]> {
  say(`${what}: ${((await stat(workbook)).size / 1e6).toFixed(1)} MB`)
  const measurements: Measurement[] = []
  let own: Taken | null = null
  for (const [name, take] of Object.entries(peers)) {
    const taken = await take?.().catch((error: Error) => say(`${what}: ${name} is not measured: ${error.message.split('\n')[0]}`))
    if (!taken) continue
    own ??= taken
    const { seconds, cpuSeconds, peakMiB, lateSeconds } = taken
    say(`${what}: ${name}: ${seconds.toFixed(2)} s`)
    const late = lateSeconds === undefined ? '' : `, timers late by ${lateSeconds.toFixed(2)} s at most`
    const value = `${seconds.toFixed(2)} s, cpu ${cpuSeconds.toFixed(2)} s, ${peakMiB.toFixed(0)} MiB${late}`
    measurements.push({ what: `${what} to CSV by ${name}`, value, ratio: `${(seconds / own.seconds).toFixed(1)} x ours` })
  }
  return measurements
}

function readers(workbook: string, folder: string, peers: string): Readers {
  const csv = join(folder, 'book.csv')
  const byNode = (reader: string) => () => fastest([join(import.meta.dirname, 'xlsx-to-csv.ts'), reader, workbook, csv, peers], folder)
  const watched =
    (...command: string[]) =>
    () =>
      timed(PYTHON, ['-c', WATCH, ...command])
  const office = ['soffice', `-env:UserInstallation=file://${folder}/office`, '--headless', '--convert-to', 'csv', '--outdir', folder]
  return {
    Rota: byNode('rota'),
    SheetJS: byNode('sheetjs'),
    exceljs: isInstalled('exceljs', peers) ? byNode('exceljs') : undefined,
    openpyxl: watched(PYTHON, '-c', OPENPYXL, workbook, csv),
    xlsx2csv: watched('xlsx2csv', workbook, csv),
    LibreOffice: watched(...office, workbook),
  }
}

/** One that is no dependency of the project. */
function isInstalled(name: string, folder: string): boolean {
  try {
    return folder !== '' && createRequire(join(folder, 'package.json')).resolve(name) !== ''
  } catch {
    return false
  }
}

async function fastest(args: string[], folder: string): Promise<Taken> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') }
  const runs: Taken[] = []
  for (let round = 0; round < ROUNDS; round += 1) runs.push(await timed(process.execPath, args, env))
  return runs.reduce((best, one) => (one.seconds < best.seconds ? one : best))
}

async function timed(program: string, args: string[], env = process.env): Promise<Taken> {
  const begun = performance.now()
  const { stdout } = await run(program, args, { env })
  const seconds = (performance.now() - begun) / 1000
  const used: Omit<Taken, 'seconds'> = JSON.parse(stdout)
  return { seconds, ...used }
}

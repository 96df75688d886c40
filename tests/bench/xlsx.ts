/**
 * Workbooks of 100,000 and 500,000 rows by 12 columns become CSV: by the reader of the project, in a thread as it runs in the worker, by
 * SheetJS, and by whichever of openpyxl, xlsx2csv and LibreOffice this machine has. Each in a process of its own, one after the other.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench, Measurement } from './bench-server.ts'
import { writeXlsx } from './xlsx-file.ts'

const run = promisify(execFile)
const SIZES = [100_000, 500_000]
const PYTHON = '/usr/bin/python3'

interface Taken {
  seconds: number
  cpuSeconds: number
  peakMiB: number
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
  try {
    const measurements: Measurement[] = []
    for (const rows of SIZES) measurements.push(...(await measureSize(folder, rows, say)))
    return measurements
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureSize(folder: string, rows: number, say: (line: string) => void): Promise<Measurement[]> {
  const workbook = join(folder, 'book.xlsx')
  const csv = join(folder, 'book.csv')
  await writeXlsx(workbook, rows)
  say(`xlsx: ${rows} rows, ${((await stat(workbook)).size / 1e6).toFixed(1)} MB`)
  const measurements: Measurement[] = []
  let own: Taken | null = null
  for (const [name, take] of Object.entries(readers(workbook, csv, folder))) {
    const taken = await take().catch((error: Error) => say(`xlsx: ${name} is not measured: ${error.message.split('\n')[0]}`))
    if (!taken) continue
    own ??= taken
    const { seconds, cpuSeconds, peakMiB } = taken
    say(`xlsx: ${name}: ${seconds.toFixed(1)} s`)
    const value = `${seconds.toFixed(1)} s, cpu ${cpuSeconds.toFixed(1)} s, ${peakMiB.toFixed(0)} MiB`
    measurements.push({ what: `${rows} rows to CSV by ${name}`, value, ratio: `${(seconds / own.seconds).toFixed(1)} x ours` })
  }
  return measurements
}

function readers(workbook: string, csv: string, folder: string): Record<string, () => Promise<Taken>> {
  const ours = (reader: string) => () => timed(process.execPath, [join(import.meta.dirname, 'xlsx-to-csv.ts'), reader, workbook, csv])
  const watched =
    (...command: string[]) =>
    () =>
      timed(PYTHON, ['-c', WATCH, ...command])
  return {
    Rota: ours('rota'),
    SheetJS: ours('sheetjs'),
    openpyxl: watched(PYTHON, '-c', OPENPYXL, workbook, csv),
    xlsx2csv: watched('xlsx2csv', workbook, csv),
    LibreOffice: watched(
      'soffice',
      `-env:UserInstallation=file://${folder}/office`,
      '--headless',
      '--convert-to',
      'csv',
      '--outdir',
      folder,
      workbook,
    ),
  }
}

async function timed(program: string, args: string[]): Promise<Taken> {
  const begun = performance.now()
  const { stdout } = await run(program, args)
  const seconds = (performance.now() - begun) / 1000
  const { cpuSeconds, peakMiB }: Omit<Taken, 'seconds'> = JSON.parse(stdout)
  return { seconds, cpuSeconds, peakMiB }
}

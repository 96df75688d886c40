import { mkdir, open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const levels = ['debug', 'info', 'warning', 'error'] as const

export interface LogLine {
  at: Date
  level: (typeof levels)[number]
  /** Name of the worker. */
  worker: string
  /** Null: the worker itself speaks. */
  runId: string | null
  schedule: string | null
  message: string
  data?: Record<string, unknown> | null
}

export interface LogFileOptions {
  /** Made when missing, also while running. */
  folder: string
  /** The least that is written. */
  level: LogLine['level']
  /** Takes secrets out of a line. */
  redact(text: string): string
  /** Told once per trouble, and when it is over. Default: a line on stderr. */
  complain?: (line: string) => void
  /** A file that has reached this size is put aside. Default: 10 MiB. */
  sizeBytes?: number
  /** After a failure it is tried again so often. Default: 5. */
  retrySeconds?: number
}

export interface LogFile {
  /** Never throws, never waits. */
  write(line: LogLine): void
  /** Writes what is left, if it can be written; a second call does nothing. */
  close(): Promise<void>
}

/**
 * The log as text, for when Postgres is away: `rota.log`, and the older `rota.log.1` to `rota.log.4`. One entry is one line: time in UTC,
 * level, worker, first eight characters of the run, schedule, message, data as JSON.
 *
 * Each batch of lines opens the file anew, so several workers may share a folder, and a file that was moved or deleted is made again.
 * While it cannot be written (disk full, folder closed), the newest 50,000 lines wait in memory.
 */
export function openLogFile(options: LogFileOptions): LogFile {
  const { folder, level, redact, complain = toStderr, sizeBytes = 10 * 2 ** 20, retrySeconds = 5 } = options
  const path = join(folder, 'rota.log')
  const waiting: string[] = []
  let unwritten: Buffer = Buffer.alloc(0)
  const closing = new AbortController()
  let lost = 0
  let writing: Promise<void> | null = null

  const writeAll = async (): Promise<void> => {
    for (let isFailing = false; unwritten.length > 0 || waiting.length > 0; ) {
      if (unwritten.length === 0) unwritten = Buffer.from(waiting.splice(0, linesAtOnce).join(''))
      try {
        unwritten = unwritten.subarray(await append(folder, path, unwritten, sizeBytes))
        if (isFailing) complain(`Log file ${path} is written again`)
        if (lost > 0) complain(`${lost} lines are missing in log file ${path}`)
        isFailing = false
        lost = 0
      } catch (error) {
        const said = error instanceof Error ? error.message : error
        if (!isFailing) complain(`Log file ${path} cannot be written, and is tried again: ${said}`)
        if (closing.signal.aborted) return
        isFailing = true
        await pause(retrySeconds * 1000, undefined, { signal: closing.signal, ref: false }).catch(() => {})
      }
    }
  }
  return {
    write(line) {
      if (closing.signal.aborted || levels.indexOf(line.level) < levels.indexOf(level)) return
      waiting.push(`${redact(format(line))}\n`)
      if (waiting.length > linesKept) lost += waiting.splice(0, waiting.length - linesKept).length
      writing ??= writeAll().finally(() => {
        writing = null
      })
    },
    async close() {
      closing.abort()
      await writing
    },
  }
}

const linesAtOnce = 1000
const linesKept = 50_000
const olderFiles = 4
const longestLine = 65_536

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** @returns how many bytes were written: on a disk that fills up some, and the next call fails. */
async function append(folder: string, path: string, bytes: Buffer, sizeBytes: number): Promise<number> {
  await mkdir(folder, { recursive: true })
  const file = await open(path, 'a', 0o640)
  try {
    const { size, ino } = await file.stat()
    if (size < sizeBytes) return (await file.write(bytes)).bytesWritten
    // another worker may have been first
    if ((await stat(path)).ino === ino) await putAside(path)
  } finally {
    await file.close()
  }
  return append(folder, path, bytes, sizeBytes)
}

async function putAside(path: string): Promise<void> {
  for (let older = olderFiles; older > 1; older -= 1) {
    await rename(`${path}.${older - 1}`, `${path}.${older}`).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    })
  }
  await rename(path, `${path}.1`)
}

function format({ at, level, worker, runId, schedule, message, data }: LogLine): string {
  const whose = [worker, runId === null ? '-' : runId.slice(0, 8), schedule === null ? '-' : JSON.stringify(schedule)]
  const facts = data === undefined || data === null || Object.keys(data).length === 0 ? '' : ` ${toJson(data)}`
  const line = `${at.toISOString()} ${level.padEnd(7)} ${whose.join(' ')} ${message}${facts}`
  return escapeControls(line.length > longestLine ? `${line.slice(0, longestLine)}…` : line)
}

function toJson(data: Record<string, unknown>): string {
  try {
    return JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  } catch (error) {
    return JSON.stringify({ unprintable: String(error) })
  }
}

/** A message with line ends may not look like several entries. */
function escapeControls(line: string): string {
  return line.replace(/[\p{Cc}\u2028\u2029]/gu, (letter) =>
    JSON.stringify(letter)
      .slice(1, -1)
      .replace(/^\P{ASCII}$|^\x7f$/u, (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

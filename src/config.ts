import { resolve } from 'node:path'
import { PermanentError } from '../systemscripts/errors.ts'

/** What the environment says, read once. What runs, when and how stands in the database, never here. */
export interface Config {
  /** DATABASE_URL. Absent: the embedded Postgres of the data folder. */
  databaseUrl?: string
  /** ROTA_DATA_DIR, absolute. Default: `.rota` in the working directory. */
  dataDir: string
  /** ROTA_SECRET_KEY. Absent: a key file in the data folder. */
  secretKey?: string
  /** ROTA_LANES, separated by commas. Default: `default`. */
  lanes: string[]
  /**
   * ROTA_CONCURRENCY: runs at once in this process, 1 to 100. Default 10: runs mostly wait for a mail server, a disk or another
   * database, so ten share one core, and one long import leaves room for nine short runs; each may use a connection, and ten of
   * them times a few workers stay below the 100 that Postgres allows by default.
   */
  concurrency: number
  /** ROTA_PROGRAM_DIR, absolute. Absent: job `program` is refused. */
  programDir?: string
  /** ROTA_CHROMIUM: the program that renders pages. Absent: the system's Chromium in one of its usual places. */
  chromium?: string
  /** False with ROTA_DEMO=off. */
  demo: boolean
  /** ROTA_LOG_LEVEL: the least that is written. Default: `info`. */
  logLevel: LogLevel
}

export type LogLevel = (typeof logLevels)[number]

const logLevels = ['debug', 'info', 'warning', 'error'] as const

/**
 * The environment as one object. A variable that is set to nothing counts as unset. Reads no file.
 *
 * @throws PermanentError `invalid_environment`, naming the variable.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const databaseUrl = readDatabaseUrl(env)
  const programDir = env.ROTA_PROGRAM_DIR || undefined
  const secretKey = env.ROTA_SECRET_KEY || undefined
  return {
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(secretKey === undefined ? {} : { secretKey }),
    ...(programDir === undefined ? {} : { programDir: resolve(programDir) }),
    ...(env.ROTA_CHROMIUM ? { chromium: resolve(env.ROTA_CHROMIUM) } : {}),
    dataDir: resolve(env.ROTA_DATA_DIR || '.rota'),
    lanes: readLanes(env.ROTA_LANES || 'default'),
    concurrency: readConcurrency(env.ROTA_CONCURRENCY || '10'),
    demo: readDemo(env.ROTA_DEMO || 'on'),
    logLevel: readLogLevel(env.ROTA_LOG_LEVEL || 'info'),
  }
}

function readDatabaseUrl({ DATABASE_URL: value }: NodeJS.ProcessEnv): string | undefined {
  if (!value) return undefined
  if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value)) return value
  // the rest of it may hold a password anywhere
  const beginning = /^\w+:\/\//.exec(value)?.[0]
  throw invalid(
    'DATABASE_URL',
    beginning === undefined ? 'no address' : `an address that begins with "${beginning}" and cannot be read`,
    'Write postgres://user:password@host:5432/database, with special characters of the password percent-encoded.',
  )
}

function readLanes(value: string): string[] {
  const lanes = value
    .split(',')
    .map((lane) => lane.trim())
    .filter((lane) => lane !== '')
  const wrong = lanes.find((lane) => !/^[a-z][a-z0-9_]*$/.test(lane))
  if (wrong === undefined && lanes.length > 0) return [...new Set(lanes)]
  throw invalid(
    'ROTA_LANES',
    `"${wrong ?? value}"`,
    'Name lanes of dba.lane, separated by commas: lower-case letters, digits and _, a letter first. Example: default,plant_a.',
  )
}

function readConcurrency(value: string): number {
  if (/^\d{1,3}$/.test(value) && Number(value) >= 1 && Number(value) <= 100) return Number(value)
  throw invalid('ROTA_CONCURRENCY', `"${value}"`, 'Write a whole number from 1 to 100: how many runs this process carries out at once.')
}

function readDemo(value: string): boolean {
  if (value === 'on' || value === 'off') return value === 'on'
  throw invalid('ROTA_DEMO', `"${value}"`, 'Write off to keep the demo out, or leave it unset.')
}

function readLogLevel(value: string): LogLevel {
  const level = logLevels.find((known) => known === value)
  if (level !== undefined) return level
  throw invalid('ROTA_LOG_LEVEL', `"${value}"`, `Write one of ${logLevels.join(', ')}.`)
}

function invalid(variable: string, shown: string, hint: string): PermanentError {
  return new PermanentError('invalid_environment', `Environment variable ${variable} is not understood`, {
    detail: `It is ${shown}.`,
    hint,
  })
}

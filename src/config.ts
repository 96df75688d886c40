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
  /** ROTA_LAST_RESORT_SMTP and ROTA_LAST_RESORT_TO. Absent: nobody is told when Postgres is away. */
  lastResort?: LastResortMail
}

/** Mail that needs no database. */
export interface LastResortMail {
  to: string[]
  /** Query `from` of the address; default: the user, where that is a mail address, else the first who gets it. */
  sender: string
  server: {
    host: string
    port: number | null
    tls: 'verify' | 'require' | 'off'
    isImplicitTls?: boolean
    user: string | null
    login: { password: string } | null
  }
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
  const lastResort = readLastResort(env)
  return {
    ...(lastResort === undefined ? {} : { lastResort }),
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

function readLastResort({ ROTA_LAST_RESORT_SMTP: smtp, ROTA_LAST_RESORT_TO: to }: NodeJS.ProcessEnv): LastResortMail | undefined {
  if (!smtp && !to) return undefined
  if (!smtp) throw invalid('ROTA_LAST_RESORT_SMTP', 'not set', 'ROTA_LAST_RESORT_TO needs a mail server: smtp://user:password@host:587.')
  const addresses = (to ?? '').split(',').flatMap((address) => address.trim() || [])
  const wrong = addresses.find((address) => !/^[^\s@<>]+@[^\s@<>]+$/.test(address))
  const [first] = addresses
  if (first === undefined || wrong !== undefined)
    throw invalid('ROTA_LAST_RESORT_TO', wrong === undefined ? 'not set' : `"${wrong}"`, 'Write mail addresses, separated by commas.')
  const url = /^smtps?:\/\//.test(smtp) ? URL.parse(smtp) : null
  const tls = url?.searchParams.get('tls') ?? 'verify'
  // the rest of it may hold a password anywhere
  if (url === null || url.hostname === '' || (tls !== 'verify' && tls !== 'require' && tls !== 'off'))
    throw invalid(
      'ROTA_LAST_RESORT_SMTP',
      'no address of a mail server',
      'Write smtp://user:password@host:587, or smtps://… for port 465; ?tls=off where it knows no encryption.',
    )
  const user = decodeURIComponent(url.username) || null
  return {
    to: addresses,
    sender: url.searchParams.get('from') ?? (user?.includes('@') ? user : first),
    server: {
      host: url.hostname,
      port: url.port === '' ? (url.protocol === 'smtps:' ? 465 : null) : Number(url.port),
      tls,
      ...(url.protocol === 'smtps:' ? { isImplicitTls: true } : {}),
      user,
      login: user === null ? null : { password: decodeURIComponent(url.password) },
    },
  }
}

function invalid(variable: string, shown: string, hint: string): PermanentError {
  return new PermanentError('invalid_environment', `Environment variable ${variable} is not understood`, {
    detail: `It is ${shown}.`,
    hint,
  })
}

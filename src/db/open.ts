import { type CustomTypesConfig, Pool, types } from 'pg'

export interface PoolOptions {
  /** The role that every connection acts as; the login must be a member. Default: the login itself. */
  role?: string
  /** Shown in pg_stat_activity: which process, doing what. */
  applicationName: string
  /** Connections at most, from 1. */
  max: number
}

/**
 * A pool of connections to one database. Connects on the first query, so it never throws.
 *
 * Role and session settings travel as options of the connection's start rather than as SET: they cost no round trip, no query can
 * run before them, and RESET or DISCARD ALL returns to them. A pooler in between has to pass them on; point the address at Postgres.
 *
 * A lost connection ends the query on it and no more: the pool replaces it, also when nobody was using it.
 *
 * Values arrive as: `int8` a number (beyond ±2^53 its exact text instead of a wrong number), `numeric` text, `timestamptz` Date,
 * `date`, `time`, `timestamp` and `interval` text as Postgres writes them in UTC and ISO style, `jsonb` parsed, arrays alike.
 */
export function openPool(url: string, { role, applicationName, max }: PoolOptions): Pool {
  const pool = new Pool({
    connectionString: withStartOptions(url, role),
    application_name: applicationName,
    max,
    connectionTimeoutMillis: 30_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: valueTypes,
  })
  // A connection may break while idle in the pool, or lent out between two queries. Without listeners either would end the process;
  // whoever queries next learns of it from that query.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** How values of Postgres become values here; for connections that are opened beside a pool. */
export const valueTypes: CustomTypesConfig = {
  getTypeParser: (oid, format) => (format === 'binary' ? undefined : ownParsers[oid]) ?? types.getTypeParser(oid, format),
}

/** Settings that a database or a login may have changed, and that our reading of values depends on. */
const sessionSettings = { datestyle: 'ISO', intervalstyle: 'postgres', timezone: 'UTC' }

function withStartOptions(url: string, role: string | undefined): string {
  const address = new URL(url)
  const settings = Object.entries(role === undefined ? sessionSettings : { ...sessionSettings, role })
  const own = settings.map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
  const given = address.searchParams.get('options')
  address.searchParams.set('options', [...(given === null ? [] : [given]), ...own].join(' '))
  return address.href
}

const asText = (value: string): string => value

const int8 = (value: string): number | string => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function textArray(value: string): unknown {
  const parse: (value: string) => unknown = types.getTypeParser(textArrayOid)
  return parse(value)
}

const int8Array = (value: string): unknown => mapNested(textArray(value), int8)

function mapNested(value: unknown, parse: (item: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapNested(item, parse))
  return typeof value === 'string' ? parse(value) : value
}

/** `text[]`, which pg's list of names leaves out. */
const textArrayOid: number = 1009

/** By type oid, which are fixed for built-in types; pg's own readings turn dates into local midnights and numeric arrays into floats. */
const ownParsers: Record<number, (value: string) => unknown> = {
  20: int8,
  1016: int8Array,
  1082: asText, // date
  1182: textArray,
  1114: asText, // timestamp
  1115: textArray,
  1186: asText, // interval
  1187: textArray,
  1231: textArray, // numeric[]; numeric is text already
}

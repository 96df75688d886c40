import { type ClientBase, DatabaseError, escapeIdentifier } from 'pg'
import { PermanentError } from '../errors.ts'
import { LoadRefused, type Rejects } from './load-refused.ts'

/** What a person demands of the rows of a file as a whole. */
export interface Check {
  checkName: string
  /** `seen`: what was found wrong before the rows came; `expression` says it in words. */
  kind: 'min_rows' | 'max_rows' | 'rows_near_median' | 'null_share' | 'unique' | 'allowed' | 'expression' | 'seen'
  /** Column of the target; of `unique` several may be joined by commas, and null means the key columns. */
  columnName: string | null
  /** Of kind `expression`: a condition that each row meets or leaves open, or a query over `staging` whose one value is true. */
  expression: string | null
  allowed: string[]
  low: number | null
  high: number | null
  severity: 'warn' | 'quarantine' | 'fail'
}

/** A check that the rows do not meet. */
export interface Breach {
  check: Check
  /** What was seen and what was expected. */
  message: string
}

export interface CheckedRows {
  /** A query that gives the rows, each column by its name in the target. */
  query: string
  columns: string[]
  keyColumns: string[]
  /** Row counts of the last good loads. */
  formerCounts: number[]
}

/**
 * Looks at the rows with every check but those of kind `expression`.
 * @throws PermanentError `check_column_unknown`, `check_not_evaluated`
 */
export async function findBreaches(client: ClientBase, checks: Check[], rows: CheckedRows): Promise<Breach[]> {
  const breaches: Breach[] = []
  for (const check of checks) {
    const message = await judge(client, check, rows).catch((error: unknown) => {
      throw error instanceof DatabaseError && error.code === '42883' ? notComparable(check, error) : error
    })
    if (message !== null) breaches.push({ check, message })
  }
  return breaches
}

/** What the worst of them means for the load. */
export interface Verdict {
  isQuarantined: boolean
  /** Of quarantine and of warnings. */
  reasons: string[]
}

/** @throws LoadRefused `check_failed`, which carries the rows that were left out before */
export function verdictOf(breaches: Breach[], fileName: string, rejects: Rejects): Verdict {
  const fatal = breaches.filter(({ check }) => check.severity === 'fail')
  if (fatal.length > 0) {
    const error = new LoadRefused('check_failed', `File "${fileName}" does not meet check "${fatal[0]?.check.checkName}"`, {
      detail: fatal.map(breachInWords).join('\n'),
      hint: `Ask the sender for a right file, or change the check in dba.importcheck; then update dba.file set state = 'retry'.`,
    })
    error.rejects = rejects
    throw error
  }
  return { isQuarantined: breaches.some(({ check }) => check.severity === 'quarantine'), reasons: breaches.map(breachInWords) }
}

export function breachInWords({ check, message }: Breach): string {
  return `Check "${check.checkName}": ${message}.`
}

async function judge(client: ClientBase, check: Check, rows: CheckedRows): Promise<string | null> {
  if (check.kind === 'min_rows' || check.kind === 'max_rows') return await judgeCount(client, check, rows)
  if (check.kind === 'rows_near_median') return await judgeMedian(client, check, rows)
  if (check.kind === 'null_share') return await judgeNulls(client, check, rows)
  if (check.kind === 'unique') return await judgeUnique(client, check, rows)
  if (check.kind === 'seen') return check.expression
  return check.kind === 'allowed' ? await judgeAllowed(client, check, rows) : null
}

async function judgeCount(client: ClientBase, { low, high }: Check, rows: CheckedRows): Promise<string | null> {
  const count = await countRows(client, rows)
  if (low !== null && count < low) return `${shown(count)} rows, at least ${shown(low)} expected`
  return high !== null && count > high ? `${shown(count)} rows, at most ${shown(high)} expected` : null
}

/** So many good loads make a median. */
const LEAST_FORMER = 3

async function judgeMedian(client: ClientBase, { low, high }: Check, rows: CheckedRows): Promise<string | null> {
  const former = rows.formerCounts.toSorted((a, b) => a - b)
  if (former.length < LEAST_FORMER) return null
  const middle = Math.floor(former.length / 2)
  const median = former.length % 2 === 1 ? (former[middle] ?? 0) : ((former[middle - 1] ?? 0) + (former[middle] ?? 0)) / 2
  const isOpen = low === null && high === null
  const least = (low ?? (isOpen ? 0.5 : 0)) * median
  const most = (high ?? (isOpen ? 2 : Number.POSITIVE_INFINITY)) * median
  const count = await countRows(client, rows)
  if (count >= least && count <= most) return null
  const expected = most === Number.POSITIVE_INFINITY ? `at least ${shown(least)}` : `${shown(least)} to ${shown(most)}`
  return `${shown(count)} rows, ${expected} expected: the last ${former.length} good files had ${shown(median)} in the middle`
}

async function judgeNulls(client: ClientBase, check: Check, rows: CheckedRows): Promise<string | null> {
  const column = columnsOf(check, rows)[0] ?? ''
  const { rows: found } = await client.query<{ nulls: string; all: string }>(
    `select count(*) filter (where ${escapeIdentifier(column)} is null)::text as nulls, count(*)::text as all from (${rows.query}) as staging`,
  )
  const [nulls, all] = [Number(found[0]?.nulls ?? 0), Number(found[0]?.all ?? 0)]
  const share = all === 0 ? 0 : nulls / all
  const high = check.high ?? (check.low === null ? 0 : 1)
  if (share > high)
    return `${percent(share)} of "${column}" is empty (${shown(nulls)} of ${shown(all)} rows), at most ${percent(high)} expected`
  return check.low !== null && share < check.low
    ? `${percent(share)} of "${column}" is empty, at least ${percent(check.low)} expected`
    : null
}

async function judgeUnique(client: ClientBase, check: Check, rows: CheckedRows): Promise<string | null> {
  const columns = columnsOf(check, rows)
  const list = columns.map(escapeIdentifier).join(', ')
  const { rows: found } = await client.query<{ key: string; times: string; doubles: string }>(
    `select concat_ws(', ', ${columns.map((column) => `${escapeIdentifier(column)}::text`).join(', ')}) as key, count(*)::text as times, (count(*) over ())::text as doubles
     from (${rows.query}) as staging
     where ${columns.map((column) => `${escapeIdentifier(column)} is not null`).join(' and ')}
     group by ${list}
     having count(*) > 1
     order by count(*) desc, 1
     limit 3`,
  )
  const first = found[0]
  if (first === undefined) return null
  const examples = found.map(({ key, times }) => `"${key}" ${times} times`).join(', ')
  return `${columns.map((column) => `"${column}"`).join(', ')} is not unique: ${shown(Number(first.doubles))} value${first.doubles === '1' ? '' : 's'} more than once, as ${examples}`
}

async function judgeAllowed(client: ClientBase, check: Check, rows: CheckedRows): Promise<string | null> {
  const column = columnsOf(check, rows)[0] ?? ''
  const { rows: found } = await client.query<{ value: string; times: string; all: string }>(
    `select ${escapeIdentifier(column)}::text as value, count(*)::text as times, (sum(count(*)) over ())::text as all
     from (${rows.query}) as staging
     where ${escapeIdentifier(column)}::text <> all ($1::text[])
     group by 1
     order by count(*) desc, 1
     limit 5`,
    [check.allowed],
  )
  const first = found[0]
  if (first === undefined) return null
  const examples = found.map(({ value, times }) => `"${value.slice(0, 100)}" (${times})`).join(', ')
  return `"${column}" has values that are not allowed in ${shown(Number(first.all))} row${first.all === '1' ? '' : 's'}: ${examples}`
}

async function countRows(client: ClientBase, { query }: CheckedRows): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`select count(*)::text as count from (${query}) as staging`)
  return Number(rows[0]?.count ?? 0)
}

function columnsOf({ checkName, columnName }: Check, { columns, keyColumns }: CheckedRows): string[] {
  const named =
    columnName === null ? keyColumns : columns.includes(columnName) ? [columnName] : columnName.split(',').map((name) => name.trim())
  const unknown = named.find((name) => !columns.includes(name))
  if (unknown === undefined && named.length > 0) return named
  throw new PermanentError('check_column_unknown', `Check "${checkName}" is about a column that the target does not have`, {
    detail: `It names "${unknown ?? ''}". The target has ${columns.map((name) => `"${name}"`).join(', ')}.`,
    hint: 'Correct column_name in dba.importcheck.',
  })
}

/** json, xml, point: types whose values Postgres does not compare. */
function notComparable({ checkName, kind, columnName }: Check, cause: DatabaseError): PermanentError {
  return new PermanentError('check_not_evaluated', `Check "${checkName}" could not be evaluated: ${cause.message}`, {
    detail: `It is of kind ${kind}, about "${columnName ?? ''}".`,
    hint: 'Name another column in dba.importcheck, or give this one another type: jsonb in place of json.',
    cause,
  })
}

function shown(count: number): string {
  return count.toLocaleString('en', { maximumFractionDigits: 1 })
}

function percent(share: number): string {
  return `${(share * 100).toLocaleString('en', { maximumFractionDigits: 2 })} %`
}

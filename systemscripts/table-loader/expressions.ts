import { Client, DatabaseError } from 'pg'
import { PermanentError } from '../errors.ts'
import type { Breach, Check } from './checks.ts'
import type { LoadHost, TablesLoad } from './load.ts'
import { type Staged, stagedRows } from './staging.ts'

/** How long one expression may take. */
const EXPRESSION_SECONDS = 300

/**
 * Looks at the committed staging table with the conditions that people wrote, through a login of its own, in a transaction that may only read.
 * They see the rows as the target will have them, under the name `staging`.
 *
 * @throws PermanentError `check_not_evaluated`
 */
export async function findBrokenExpressions(host: LoadHost, load: TablesLoad, staged: Staged): Promise<Breach[]> {
  const checks = load.checks.filter(({ kind }) => kind === 'expression')
  if (checks.length === 0) return []
  const client = new Client({ connectionString: await load.expressionUrl(), application_name: 'rota checks' })
  // A connection that breaks is heard of by the query that waits for it.
  client.on('error', () => {})
  await client.connect()
  const end = () => void client.end()
  load.signal?.addEventListener('abort', end)
  try {
    const breaches: Breach[] = []
    for (const check of checks) {
      const message = await judge(client, check, stagedRows(host, staged)).catch((error: unknown) => {
        load.signal?.throwIfAborted()
        throw error
      })
      if (message !== null) breaches.push({ check, message })
    }
    return breaches
  } finally {
    load.signal?.removeEventListener('abort', end)
    await client.end().catch(() => {})
  }
}

async function judge(client: Client, check: Check, rows: string): Promise<string | null> {
  const expression = check.expression ?? ''
  const isQuery = /^\s*select\b/i.test(expression)
  try {
    await client.query('begin read only')
    await client.query(`set local statement_timeout = '${EXPRESSION_SECONDS}s'`)
    const { rows: found } = await client.query<{ broken: string }>(
      isQuery
        ? `with staging as (${rows}) select case when (\n${expression}\n) then 0 else 1 end::text as broken`
        : `select count(*) filter (where not (\n${expression}\n))::text as broken from (${rows}) as staging`,
    )
    await client.query('rollback')
    const broken = Number(found[0]?.broken ?? 1)
    if (isQuery) return broken === 0 ? null : `not true: ${expression}`
    const most = check.high ?? 0
    if (broken <= most) return null
    return `${broken.toLocaleString('en')} row${broken === 1 ? ' does' : 's do'} not meet it${most > 0 ? `, at most ${most} may` : ''}: ${expression}`
  } catch (error) {
    throw error instanceof DatabaseError && !isBadMoment(error) ? notEvaluated(check, error) : error
  }
}

/** Another attempt may fare better: a lost connection, a lock, a full disk, a server that stops. */
function isBadMoment({ code = '' }: DatabaseError): boolean {
  return /^(08|40|53|55|57P|58|XX)/.test(code)
}

function notEvaluated({ checkName, expression }: Check, error: DatabaseError): PermanentError {
  return new PermanentError('check_not_evaluated', `Check "${checkName}" could not be evaluated: ${error.message}`, {
    detail: `Its expression is: ${expression}`,
    hint:
      error.hint ??
      'Correct expression in dba.importcheck: a condition over the columns of the target, or a query such as select sum(amount) > 0 from staging.',
    cause: error,
  })
}

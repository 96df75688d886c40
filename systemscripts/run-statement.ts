import { type Client, Query, type QueryConfig, type QueryResult } from 'pg'
import { openPostgres, type PostgresServer } from './postgres.ts'
import { cancelOnAbort } from './statement/cancel.ts'
import { explainStatement, isSeveral } from './statement/explain.ts'
import { Parsing } from './statement/parsing.ts'
import { endedTransaction, refuseTransactionControl } from './statement/transaction-control.ts'

export interface StatementOptions {
  /** An address `postgres://…`, or its parts. */
  server: PostgresServer | string
  applicationName: string
  /** Cancels the statement on the server. */
  signal: AbortSignal
}

export interface RunStatementOptions extends StatementOptions {
  /** True: all statements of the text in one transaction. False: the text is one statement, outside a transaction (`vacuum`). */
  inTransaction: boolean
  /** Called for each notice of the server, at most `noticesAtMost` times. */
  onNotice(notice: StatementNotice): void
  /** Called when the work is done, before the commit, or before a statement without transaction. What it throws rolls back. */
  beforeCommit(): Promise<void>
}

export interface StatementNotice {
  /** `NOTICE`, `WARNING`, `INFO`, `LOG`, `DEBUG`. */
  severity: string
  message: string
  detail: string | null
  hint: string | null
}

export interface StatementOutcome {
  /** What Postgres calls each statement, in order: `INSERT`, `CREATE TABLE`. */
  commands: string[]
  /** Rows that came back. They are counted, not kept. */
  rowsRead: number
  /** Rows inserted, updated, deleted, merged or copied. */
  rowsWritten: number
  /** All, also those beyond the limit. */
  notices: number
}

/** Notices passed on; the rest is counted. */
export const noticesAtMost = 1000

/**
 * Runs SQL that a person wrote, in a session of its own that ends with it. Memory does not grow with the rows.
 *
 * An abort cancels the statement on the server, again each second until it stops, and ends its session after five. Whether the
 * session is gone is awaited, so that nothing goes on behind the run's back.
 *
 * @throws PermanentError `statement_failed` for wrong SQL, missing objects and rights, with Postgres's own words; JobError
 * `statement_failed` for all else, which other data or another moment may mend; PermanentError `statement_ended_transaction`; what
 * openPostgres and `beforeCommit` throw; the signal's reason.
 */
export async function runStatement(text: string, options: RunStatementOptions): Promise<StatementOutcome> {
  const { inTransaction, beforeCommit, signal } = options
  if (inTransaction) refuseTransactionControl(text)
  const client = await openPostgres(options.server, options)
  const counter = countNotices(client, options.onNotice)
  const stopCancelling = cancelOnAbort(client, options)
  try {
    signal.throwIfAborted()
    if (inTransaction) await client.query('begin')
    else await beforeCommit()
    const results = await execute(client, text, inTransaction)
    if (inTransaction) {
      if (client.getTransactionStatus() !== 'T') throw endedTransaction('What it committed by then stays.')
      await beforeCommit()
      signal.throwIfAborted()
      await client.query('commit')
    }
    return { ...summary(results), notices: counter.notices }
  } catch (error) {
    signal.throwIfAborted()
    throw explainStatement(error, text, client)
  } finally {
    await stopCancelling()
    await client.end().catch(() => {})
  }
}

/**
 * Has the server read the text without running it. One statement is looked at fully: names, types, columns; of several, only the
 * grammar.
 *
 * @throws as runStatement
 */
export async function parseStatement(text: string, options: StatementOptions & { inTransaction: boolean }): Promise<void> {
  if (options.inTransaction) refuseTransactionControl(text)
  const client = await openPostgres(options.server, options)
  try {
    await new Promise<void>((resolve, reject) => {
      client.query(new Parsing(text, resolve, reject))
    })
  } catch (error) {
    options.signal.throwIfAborted()
    // the grammar is read before the statements are counted
    if (options.inTransaction && isSeveral(error)) return
    throw explainStatement(error, text, client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** With a listener for rows pg keeps none of them. */
function execute(client: Client, text: string, mayBeSeveral: boolean): Promise<QueryResult[]> {
  return new Promise((resolve, reject) => {
    // pg's types leave these two out
    const config: QueryConfig & { rowMode: 'array'; queryMode?: 'extended' } = { text, types: asText, rowMode: 'array' }
    if (!mayBeSeveral) config.queryMode = 'extended'
    const query = new Query(config)
    query.on('row', () => {})
    query.on('error', reject)
    query.on('end', (results: QueryResult | QueryResult[]) => resolve(Array.isArray(results) ? results : [results]))
    client.query(query)
  })
}

/** Values are only counted. */
const asText = { getTypeParser: () => (value: string) => value }

function summary(results: QueryResult[]): Omit<StatementOutcome, 'notices'> {
  const done = results.filter(({ command }) => Boolean(command))
  const rowsOf = (isWanted: (command: string) => boolean) =>
    done.filter(({ command }) => isWanted(command)).reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0)
  return {
    commands: done.map(({ command }) => command),
    rowsRead: rowsOf(isReading),
    rowsWritten: rowsOf((command) => !isReading(command)),
  }
}

function isReading(command: string): boolean {
  return ['SELECT', 'FETCH', 'SHOW', 'EXPLAIN', 'MOVE'].includes(command)
}

function countNotices(client: Client, onNotice: RunStatementOptions['onNotice']): { notices: number } {
  const counter = { notices: 0 }
  client.on('notice', ({ severity, message, detail, hint }) => {
    counter.notices += 1
    if (counter.notices > noticesAtMost) return
    onNotice({ severity: severity ?? 'NOTICE', message: message ?? '', detail: detail ?? null, hint: hint ?? null })
  })
  return counter
}

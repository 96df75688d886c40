/** Queries that people wrote, read in one read-only transaction. */
import { type Client, DatabaseError, type QueryArrayConfig, type QueryArrayResult, type QueryConfig } from 'pg'
import type { Cell, Column, Row, RowSource } from './documents/row-source.ts'
import { JobError, PermanentError } from './errors.ts'
import { openPostgres, type PostgresServer } from './postgres.ts'
import { type ByteGuard, guardBytes } from './query-session/guard-bytes.ts'
import type { BoundStatement } from './query-session/named-parameters.ts'
import { planQuestion, type ReadPlan, readPlan } from './query-session/read-plan.ts'
import { cancelOnAbort } from './statement/cancel.ts'
import { explainStatement } from './statement/explain.ts'

export interface QuerySessionOptions {
  /** An address `postgres://…`, or its parts. */
  server: PostgresServer | string
  applicationName: string
  /** Longest time of one query, its rows included. */
  timeoutSeconds: number
  /** IANA name; in it moments are written. */
  timeZone: string
  /** Cancels on the server what is being asked. */
  signal: AbortSignal
}

export interface QuerySession {
  /**
   * Asks a query; its rows are fetched as they are walked, so memory does not grow with them. One walk at a time; the next query ends it.
   *
   * @param maxRows rows that the walk gives; the others are counted where that takes less than a minute.
   * @throws PermanentError `statement_failed` for wrong SQL, a query that writes, missing objects and rights, `answer_too_large`; JobError
   *   `statement_failed`, `database_connection_lost`
   */
  ask(statement: BoundStatement, maxRows: number): Promise<RowSource>
  /** What a query reads. @throws as ask */
  plan(statement: BoundStatement): Promise<ReadPlan>
  /** Ends the session; nothing stays of it. */
  close(): Promise<void>
}

/** Largest answer to one fetch; a batch is made far smaller where rows are of ordinary size. */
const fetchLimitBytes = 64 * 1024 * 1024
const batchAimBytes = 32 * 1024
const countSeconds = 60

/**
 * Logs in and opens one transaction, read only and repeatable read: all queries see the same moment. The server refuses what writes, and a
 * statement that is no query cannot be a cursor. What is beyond that is up to the rights of the login.
 *
 * @throws as openPostgres
 */
export async function openQuerySession(options: QuerySessionOptions): Promise<QuerySession> {
  const client = await openPostgres(options.server, options)
  const stopCancelling = cancelOnAbort(client, options)
  const guard = guardBytes(client, fetchLimitBytes)
  const session: Session = { client, guard, options, cursors: 0, limit: options.timeoutSeconds * 1000 }
  const close = async () => {
    await stopCancelling()
    await client.end().catch(() => {})
  }
  try {
    await client.query('begin transaction isolation level repeatable read, read only')
    // A cursor is planned for its first tenth unless told otherwise; here all of it is read.
    await client.query(
      `select set_config(name, value, true) from (values ('cursor_tuple_fraction', '1'), ('datestyle', 'ISO, YMD'), ('intervalstyle', 'postgres'),
         ('bytea_output', 'hex'), ('extra_float_digits', '1'), ('timezone', $1), ('statement_timeout', $2), ('idle_in_transaction_session_timeout', '0')) s (name, value)`,
      [options.timeZone, `${Math.ceil(options.timeoutSeconds * 1000)}`],
    )
  } catch (error) {
    await close()
    options.signal.throwIfAborted()
    throw error
  }
  return {
    ask: (statement, maxRows) => ask(session, statement, maxRows),
    plan: ({ text, values }) => explained(session, text, () => readPlan(client, withoutEnd(text), values), planQuestion),
    close,
  }
}

interface Session {
  client: Client
  guard: ByteGuard
  options: QuerySessionOptions
  cursors: number
  /** Milliseconds that the server gives to a statement. */
  limit: number
}

async function ask(session: Session, { text, values }: BoundStatement, maxRows: number): Promise<RowSource> {
  const { client, options } = session
  if (session.cursors > 0) await explained(session, text, () => client.query(`close all`))
  session.cursors += 1
  if (session.limit < options.timeoutSeconds * 1000) await explained(session, text, () => limitTo(session, options.timeoutSeconds * 1000))
  const deadline = performance.now() + options.timeoutSeconds * 1000
  const first = await explained(
    session,
    text,
    async () => {
      await client.query(extended(declaration + withoutEnd(text), values))
      return await fetchRows(session, Math.min(100, maxRows))
    },
    declaration,
  )
  const columns: Column[] = first.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }))
  let withheld: number | null = 0
  return {
    columns,
    timeZone: options.timeZone,
    rows: walk(session, text, { first, maxRows, deadline, cursor: session.cursors }, (count) => {
      withheld = count
    }),
    withheld: () => withheld,
  }
}

/** One statement and no more: several could end the transaction that guards them. */
function extended(text: string, values: (string | null)[]): QueryConfig {
  const config: QueryConfig & { queryMode: 'extended' } = { text, values, queryMode: 'extended' }
  return config
}

const declaration = 'declare answer no scroll cursor for '

interface Walk {
  first: QueryArrayResult<Cell[]>
  maxRows: number
  /** By performance.now(). */
  deadline: number
  cursor: number
}

async function* walk(
  session: Session,
  text: string,
  { first, maxRows, deadline, cursor }: Walk,
  withhold: (count: number | null) => void,
): AsyncGenerator<readonly Row[]> {
  let asked = Math.min(100, maxRows)
  let batch = first
  let given = 0
  for (;;) {
    given += batch.rows.length
    if (batch.rows.length > 0) yield batch.rows
    if (batch.rows.length < asked) return
    if (given >= maxRows) break
    session.options.signal.throwIfAborted()
    if (cursor !== session.cursors) throw new Error('another query was asked before this one was walked to its end')
    asked = Math.min(maxRows - given, nextBatch(batch.rows.length, session.guard.count()))
    batch = await explained(session, text, async () => {
      const left = Math.max(1, deadline - performance.now())
      // Where there is much time left the server need not be told with each batch; a second more or less does not matter then.
      if (session.limit - left > 1000 || left < 2000) await limitTo(session, left)
      return await fetchRows(session, asked)
    })
  }
  withhold(await countRest(session, Math.min(countSeconds * 1000, Math.max(1, deadline - performance.now()))))
}

/** So many rows as make up about 32 KiB: as objects they take ten times that, and what is in use when the collector comes stays for long. */
function nextBatch(rows: number, bytes: number): number {
  return Math.max(1, Math.min(10_000, Math.floor((batchAimBytes * rows) / Math.max(bytes, 1))))
}

async function fetchRows({ client, guard }: Session, count: number): Promise<QueryArrayResult<Cell[]>> {
  guard.begin()
  const query: QueryArrayConfig = { text: `fetch forward ${count} from answer`, rowMode: 'array', types: asText }
  return await client.query<Cell[]>(query)
}

/** Values stay as Postgres wrote them. */
const asText = { getTypeParser: () => (value: string) => value }

async function limitTo(session: Session, milliseconds: number): Promise<void> {
  await session.client.query(`set local statement_timeout = ${Math.ceil(milliseconds)}`)
  session.limit = milliseconds
}

/** The server counts what is left without sending it; null: it took too long. */
async function countRest(session: Session, milliseconds: number): Promise<number | null> {
  const { client } = session
  try {
    await client.query('savepoint counting')
    await limitTo(session, milliseconds)
    const { rowCount } = await client.query('move forward all from answer')
    return rowCount
  } catch {
    await client.query('rollback to savepoint counting').catch(() => {})
    return null
  }
}

/** A semicolon would end the cursor's statement; what follows one is refused by the server, since a prepared statement is one. */
function withoutEnd(text: string): string {
  return text.replace(/[;\s]+$/, '')
}

async function explained<T>(session: Session, text: string, work: () => Promise<T>, before = ''): Promise<T> {
  try {
    return await work()
  } catch (error) {
    session.options.signal.throwIfAborted()
    throw session.guard.broken() ?? inWordsForQueries(error, text, session.client, before)
  }
}

function inWordsForQueries(error: unknown, text: string, client: Client, before: string): unknown {
  if (!(error instanceof DatabaseError)) return explainStatement(error, text, client)
  // The server counts from the beginning of what it was sent.
  if (error.position !== undefined) error.position = String(Math.max(1, Number(error.position) - before.length))
  const said = explainStatement(error, text, client)
  if (!(said instanceof JobError) || !/^(42601|0A000|25006)$/.test(error.code ?? '')) return said
  return new PermanentError(said.code, said.message, {
    detail: said.detail ?? '',
    hint: 'A query is one SELECT (or WITH … SELECT, VALUES, TABLE) that writes nothing.',
    cause: error,
  })
}

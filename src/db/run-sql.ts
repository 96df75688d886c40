import { type Client, DatabaseError } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import { explainError, isConnectionLost } from './explain-error.ts'
import type { MigrationPart } from './migration-files.ts'
import { lineAt, type Statement, splitStatements } from './split-sql.ts'

/** Commits when the work returns, rolls back when it throws. */
export async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    // on a lost connection there is nothing left to roll back, and the first error tells more
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/**
 * Runs the statements of a file one by one.
 *
 * @throws PermanentError `migration_failed` with file and line of the failing statement and what Postgres said of it; errors that
 * another attempt may mend (a lost connection, a deadlock) come through as they are.
 */
export async function runFile(client: Client, { file, sql }: MigrationPart): Promise<void> {
  for (const statement of splitStatements(sql)) {
    try {
      await client.query(statement.text)
    } catch (error) {
      if (error instanceof DatabaseError && !isPassing(error)) throw failed(file, statement, error)
      throw error
    }
  }
}

/** Serialization failures and deadlocks, full disks, locks, shutdowns, and internal collisions: no fault of the file. */
function isPassing(error: DatabaseError): boolean {
  return isConnectionLost(error) || /^(40|53|55|57|XX)/.test(error.code ?? '')
}

function failed(file: string, statement: Statement, error: DatabaseError): PermanentError {
  const { code, message, detail, hint } = explainError(error)
  return new PermanentError('migration_failed', `Migration stopped at ${file}, line ${lineOf(statement, error)}: ${message}`, {
    detail: [`${code} (SQLSTATE ${error.code}).`, detail].filter(Boolean).join('\n'),
    hint: [hint, 'Nothing of this migration was kept: correct what is wrong and run rota migrate again.'].filter(Boolean).join(' '),
    cause: error,
  })
}

/** Postgres points into the statement, counting characters from 1; without a position the statement's first line has to do. */
function lineOf(statement: Statement, error: DatabaseError): number {
  const position = Number(error.position ?? 1)
  const before = Array.from(statement.text)
    .slice(0, position - 1)
    .join('')
  return statement.line + lineAt(before, before.length) - 1
}

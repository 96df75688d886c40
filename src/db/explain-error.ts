import { DatabaseError } from 'pg'
import { type FourFields, JobError, PermanentError } from '../../systemscripts/errors.ts'
import { maskAddresses } from '../../systemscripts/redact.ts'
import { isPermanentState, nameOfState } from './sqlstates.ts'
import { systemErrors } from './system-errors.ts'

/**
 * Any thrown value in four fields. What Postgres says keeps its words, with table, column, constraint and context in the detail; errors
 * of the operating system get a name and a hint; what nobody foresaw is `unexpected_error` with the place it came from. Passwords in
 * addresses are masked everywhere.
 */
export function explainError(error: unknown): FourFields {
  const said = fieldsOf(error)
  return {
    code: said.code,
    message: maskAddresses(said.message),
    detail: said.detail === null ? null : maskAddresses(said.detail),
    hint: said.hint === null ? null : maskAddresses(said.hint),
  }
}

/** Whether the connection to a server ended or could not be made: the statement may be right, and may even have been carried out. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof DatabaseError) return /^(08|57P0[123])/.test(error.code ?? '')
  if (!(error instanceof Error)) return false
  return systemErrors[codeOf(error)]?.isConnection === true || connectionWords.test(error.message)
}

/** Whether Postgres itself said it. */
export function isPostgresError(error: unknown): boolean {
  return error instanceof DatabaseError
}

/** Whether another attempt may succeed. The author's choice counts first; then Postgres's code; what nobody foresaw is tried again. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof JobError) return !(error instanceof PermanentError)
  if (error instanceof DatabaseError) return !isPermanentState(error.code ?? '')
  if (error instanceof Error) return systemErrors[codeOf(error)]?.isPermanent !== true
  return true
}

/** What pg itself says, in words only, when a connection breaks. */
const connectionWords =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Client was closed)/

function fieldsOf(error: unknown): FourFields {
  if (error instanceof JobError) {
    return { code: error.code, message: error.message, detail: error.detail ?? null, hint: error.hint ?? null }
  }
  if (error instanceof DatabaseError) return fieldsOfPostgres(error)
  if (!(error instanceof Error))
    return { code: 'unexpected_error', message: `Something that is no error was thrown: ${String(error)}`, detail: null, hint: null }
  const known = systemErrors[codeOf(error)]
  if (known !== undefined) return { code: known.code, message: messageOf(error), detail: causes(error), hint: known.hint }
  if (connectionWords.test(error.message)) {
    return {
      code: 'connection_lost',
      message: error.message,
      detail: causes(error),
      hint: 'Look whether the server runs and what its log says.',
    }
  }
  return {
    code: 'unexpected_error',
    message: messageOf(error),
    detail: [causes(error), placeOf(error)].filter(Boolean).join('\n') || null,
    hint: null,
  }
}

function fieldsOfPostgres(error: DatabaseError): FourFields {
  const table = error.table === undefined ? undefined : `table ${error.schema === undefined ? '' : `${error.schema}.`}${error.table}`
  const column = error.column === undefined ? undefined : `column ${error.column}`
  const constraint = error.constraint === undefined ? undefined : `constraint ${error.constraint}`
  const objects = [table, column, constraint].filter((part) => part !== undefined).join(', ')
  // A refusal in words says all; the path through the functions that led to it is noise to who wrote the row.
  const path = / at RAISE\b/.test(error.where ?? '') ? undefined : error.where
  const detail = [error.detail, objects && `In ${objects}.`, path].filter(Boolean).join('\n')
  return { code: nameOfState(error.code ?? ''), message: error.message, detail: detail || null, hint: error.hint ?? hintFor(error) }
}

/** Where Postgres gives no hint and its message alone leaves people guessing. */
function hintFor(error: DatabaseError): string | null {
  if (/unsupported startup parameter/.test(error.message)) {
    return 'A pooler stands between Rota and Postgres: give DATABASE_URL the address of Postgres itself.'
  }
  if (/^permission denied to set role/.test(error.message))
    return 'Grant that role to the login of DATABASE_URL, or run rota migrate with a login that may.'
  if (error.code === '53300') return 'Raise max_connections of the server, or lower ROTA_CONCURRENCY.'
  if (error.code === '53100') return "Free space on the server's disk."
  if (error.code === '28P01') return 'Correct user or password in the address.'
  return null
}

/** Connecting to a name with several addresses fails with one error that holds the others and has no words of its own. */
function messageOf(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ')
  return error.name
}

function causes(error: Error): string | null {
  const found: string[] = []
  for (let cause = error.cause; cause instanceof Error && found.length < 5; cause = cause.cause)
    found.push(`Caused by: ${messageOf(cause)}`)
  return found.length === 0 ? null : found.join('\n')
}

function placeOf(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !line.includes('node:internal'))
  return frames
    .slice(0, 5)
    .map((line) => line.trim())
    .join('\n')
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

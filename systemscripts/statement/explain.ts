import { type Client, DatabaseError } from 'pg'
import { JobError, PermanentError } from '../errors.ts'

/** What went wrong with a statement, in Postgres's own words; an error of ours comes through as it is. */
export function explainStatement(error: unknown, text: string, client: Client): unknown {
  if (error instanceof JobError) return error
  if (!(error instanceof DatabaseError)) {
    return new JobError('database_connection_lost', `The connection to ${client.host}:${client.port} ended while the statement ran`, {
      detail: error instanceof Error ? error.message : String(error),
      hint: 'Look whether that server runs and what its log says. An open transaction was rolled back; whether a commit that was under way was done is not known.',
      cause: error,
    })
  }
  const Kind = permanent.test(error.code ?? '') ? PermanentError : JobError
  const hint = error.hint ?? hintFor(error, client)
  return new Kind('statement_failed', error.message, {
    detail: [`SQLSTATE ${error.code}${placeOf(error, text)}.`, error.detail, error.where].filter(Boolean).join('\n'),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  })
}

function hintFor(error: DatabaseError, client: Client): string | undefined {
  if (error.code === '42501') return `The statement runs as login "${client.user}": grant it what the statement needs.`
  if (isSeveral(error)) return 'With args.in_transaction false write one statement, or leave in_transaction out.'
  if (error.code === '25001') return 'Set args.in_transaction to false for this statement.'
  return undefined
}

/** Not supported, read only, no login, no such database or schema, syntax and missing objects and rights, limits of the server. */
const permanent = /^(0A|25006|28|2B|3D|3F|42|54)/

/** The extended protocol takes one statement at a time. */
export function isSeveral(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '42601' && /multiple commands/.test(error.message)
}

/** Postgres counts characters from 1. */
function placeOf(error: DatabaseError, text: string): string {
  if (error.position === undefined) return ''
  const before = Array.from(text)
    .slice(0, Number(error.position) - 1)
    .join('')
  const line = before.split('\n').length
  return `, line ${line}: ${text.split('\n')[line - 1]?.trim().slice(0, 200) ?? ''}`
}

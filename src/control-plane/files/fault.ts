import { DatabaseError } from 'pg'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { TargetError } from '../../../systemscripts/table-loader/refusals.ts'

/**
 * Whether another file could be loaded where this one failed: what its reader refuses for good, and values or columns that the target does not
 * take (Postgres's classes data exception, integrity constraint, program limit).
 */
export function isFaultOfFile(error: unknown): error is Error {
  if (error instanceof TargetError) return false
  if (error instanceof PermanentError) return true
  return error instanceof DatabaseError && /^(22|23|54)/.test(error.code ?? '')
}

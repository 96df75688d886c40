import { DatabaseError } from 'pg'
import { JobError, PermanentError } from '../../../systemscripts/errors.ts'
import { TargetError } from '../../../systemscripts/table-loader/refusals.ts'

/**
 * Whether another file could be loaded where this one failed: what its reader refuses for good, and values or columns that the target does not
 * take (Postgres's classes data exception, integrity constraint, program limit).
 */
export function isFaultOfFile(error: unknown): error is Error {
  if (isFaultOfAll(error)) return false
  if (error instanceof PermanentError) return true
  return error instanceof DatabaseError && /^(22|23|54)/.test(error.code ?? '')
}

/**
 * Whether every other file would meet the same: the target or the right to it is wrong, somebody holds it, a login of Rota is missing, the
 * server has no room (classes insufficient resources, system error).
 */
export function isFaultOfAll(error: unknown): boolean {
  if (error instanceof TargetError) return true
  if (error instanceof JobError) return error.code === 'target_locked' || error.code.startsWith('secret_')
  return error instanceof DatabaseError && /^(53|58)/.test(error.code ?? '')
}

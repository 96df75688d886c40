import type { DatabaseError } from 'pg'

/**
 * Whether Postgres refused a row rather than the statement: classes 22 (data exception), 23 (integrity constraint), 54 (a limit, such as an
 * index entry that is too long), a value of a language of its own that cannot be read (tsquery), and what a trigger raised.
 */
export function isRowRefusal({ code }: DatabaseError): boolean {
  return code !== undefined && (/^(22|23|54)/.test(code) || code === '42601' || isRaised(code))
}

/** By PL/pgSQL, or with a code that is not Postgres's own: somebody wrote it into a trigger. */
function isRaised(code: string): boolean {
  return code.startsWith('P0') || !CLASSES_OF_POSTGRES.test(code)
}

/** Appendix A of its manual. */
const CLASSES_OF_POSTGRES = /^(0[0-3689ABFLPZ]|2[0-8BDF]|34|3[89BDF]|4[024]|5[34578]|72|F0|HV|P0|XX)/

/** Some row was refused by Postgres; which one is found by the staged lane. */
export class RowsRefused extends Error {
  override name = 'RowsRefused'

  constructor(cause: DatabaseError) {
    super(cause.message, { cause })
  }
}

/** The rule that a row broke, as a stable word. */
export function brokenRule({ code }: DatabaseError): string {
  if (code === undefined) return 'row_refused'
  return RULES[code] ?? (/^22|^42601/.test(code) ? 'value_refused' : isRaised(code) ? 'trigger' : 'row_refused')
}

const RULES: Record<string, string> = {
  '22001': 'too_long',
  '22003': 'out_of_range',
  '23502': 'required',
  '23503': 'foreign_key',
  '23505': 'unique',
  '23514': 'check',
  '23P01': 'exclusion',
}

/** What Postgres said about it, as one sentence. */
export function refusalInWords({ message, detail }: DatabaseError): string {
  return [message, detail].filter((part) => part).join('. ')
}

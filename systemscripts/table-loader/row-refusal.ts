import type { DatabaseError } from 'pg'

/**
 * Whether Postgres refused a row rather than the statement: classes 22 (data exception), 23 (integrity constraint), 54 (a limit, such as an
 * index entry that is too long), and what a trigger raised.
 */
export function isRowRefusal({ code }: DatabaseError): boolean {
  return code !== undefined && (/^(22|23|54)/.test(code) || code === 'P0001')
}

/** Some row was refused by Postgres; which one is found by the staged lane. */
export class RowsRefused extends Error {
  override name = 'RowsRefused'

  constructor(cause: DatabaseError) {
    super(cause.message, { cause })
  }
}

/** The rule that a row broke, as a stable word. */
export function brokenRule({ code }: DatabaseError): string {
  return RULES[code ?? ''] ?? (code?.startsWith('22') ? 'value_refused' : 'row_refused')
}

const RULES: Record<string, string> = {
  '22001': 'too_long',
  '22003': 'out_of_range',
  '23502': 'required',
  '23503': 'foreign_key',
  '23505': 'unique',
  '23514': 'check',
  '23P01': 'exclusion',
  P0001: 'trigger',
}

/** What Postgres said about it, as one sentence. */
export function refusalInWords({ message, detail }: DatabaseError): string {
  return [message, detail].filter((part) => part).join('. ')
}

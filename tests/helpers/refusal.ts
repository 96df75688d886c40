import assert from 'node:assert/strict'
import { DatabaseError } from 'pg'

/** What a person reads when the database refuses a statement. */
export interface Refusal {
  code: string
  message: string
  detail: string
  hint: string
}

/** Awaits a statement that must be refused by Postgres; fails when it is not. Absent fields are empty text. */
export async function refusal(statement: Promise<unknown>): Promise<Refusal> {
  try {
    await statement
  } catch (error) {
    assert.ok(error instanceof DatabaseError, `not refused by the database, but: ${error}`)
    return { code: error.code ?? '', message: error.message, detail: error.detail ?? '', hint: error.hint ?? '' }
  }
  assert.fail('the statement was not refused')
}

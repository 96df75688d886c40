import { explainError } from '../db/explain-error.ts'
import type { Output } from './output.ts'
import { plainLines } from './print-table.ts'

/** An error in its four fields, as psql labels them; with `asJson` as one JSON object with keys code, message, detail, hint. */
export function printError(stderr: Output, error: unknown, { asJson }: { asJson: boolean }): void {
  const fields = explainError(error)
  for (const line of asJson ? [JSON.stringify(fields)] : errorLines(fields)) stderr.line(line)
}

/** The same as lines of text, for output that has room for an error among other things. */
export function errorLines(fields: { code: string; message: string; detail?: string | null; hint?: string | null }): string[] {
  const lines = [`ERROR:  ${fields.message}`]
  if (fields.detail) lines.push(`DETAIL:  ${fields.detail}`)
  if (fields.hint) lines.push(`HINT:  ${fields.hint}`)
  lines.push(`CODE:  ${fields.code}`)
  return lines.map((line) => plainLines(line))
}

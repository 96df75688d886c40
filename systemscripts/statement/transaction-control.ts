import { PermanentError } from '../errors.ts'

/**
 * A text that runs in one transaction may not begin or end one: what it committed could not be rolled back with the run.
 *
 * @throws PermanentError `statement_ended_transaction`
 */
export function refuseTransactionControl(text: string): void {
  const statements = text.replace(quoted, ' ').split(';')
  const found = statements.find((statement) =>
    /^\s*(begin|start\s+transaction|commit|abort|rollback(?!\s+(work\s+|transaction\s+)?to))\b/i.test(statement),
  )
  if (found !== undefined) throw endedTransaction(`It says "${found.trim().slice(0, 60)}". Nothing was run.`)
}

/** Quoted texts, names, bodies and comments: what stands in them is no statement. */
const quoted = /e'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\//gi

export function endedTransaction(detail: string): PermanentError {
  return new PermanentError('statement_ended_transaction', 'The statement begins or ends a transaction by itself', {
    detail,
    hint: 'Leave begin, commit and rollback out: all of args.statement runs in one transaction. For a single statement outside one set args.in_transaction to false.',
  })
}

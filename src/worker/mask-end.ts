/** Takes secrets out of what an attempt leaves in the ledger. */

import type { FourFields } from '../../systemscripts/errors.ts'
import type { Redactor } from '../../systemscripts/redact.ts'
import type { AttemptEnd } from '../control-plane/attempt-ends.ts'
import type { Outcome } from '../job/outcome.ts'

/** The end with every secret masked that the redactor has learnt: a program's last words or a server's refusal may repeat one. */
export function maskEnd(end: AttemptEnd, redactor: Redactor): AttemptEnd {
  if (end.outcome === 'succeeded') return { ...end, facts: maskFacts(end.facts, redactor) }
  if (end.outcome === 'cancelled') return { ...end, reason: redactor.text(end.reason) }
  return { ...end, error: maskError(end.error, redactor) }
}

function maskFacts(facts: Outcome, redactor: Redactor): Outcome {
  const { note, result, ...counts } = facts
  const masked = redactor.data(result)
  return {
    ...counts,
    ...(note === undefined ? {} : { note: redactor.text(note) }),
    ...(typeof masked === 'object' && masked !== null ? { result: { ...masked } } : {}),
  }
}

function maskError({ code, message, detail, hint }: FourFields, redactor: Redactor): FourFields {
  const mask = (text: string | null) => (text === null ? null : redactor.text(text))
  return { code, message: redactor.text(message), detail: mask(detail), hint: mask(hint) }
}

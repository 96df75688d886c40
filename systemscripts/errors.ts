/**
 * Errors in Postgres's own shape: code, message, detail, hint. The same four stand in dba.run, on the command line and in the log.
 *
 * `JobError` means "try again", `PermanentError` means "a retry cannot mend it". Which of the two is chosen where the error is born.
 * Anything else that is thrown is retried.
 */
export interface ErrorFacts {
  /** What was seen: values, counts, names. */
  detail?: string
  /** What to do, imperative, naming table and column. */
  hint?: string
  cause?: unknown
}

/** A failure that another attempt may mend: a server that is away, a lock, a timeout. */
export class JobError extends Error {
  /** Stable, snake_case: what scripts and tests match on. */
  readonly code: string
  readonly detail: string | undefined
  readonly hint: string | undefined

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = new.target.name
    this.code = code
    this.detail = facts.detail
    this.hint = facts.hint
  }
}

/** A failure that stays until a person changes something: a wrong setting, a broken file. Ends the run at once. */
export class PermanentError extends JobError {}

/** The four fields of one failure, ready for the columns error_code, error_message, error_detail, error_hint. */
export interface FourFields {
  code: string
  message: string
  detail: string | null
  hint: string | null
}

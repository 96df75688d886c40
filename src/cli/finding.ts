import { explainError } from '../db/explain-error.ts'

/** What `rota check` found out about one thing. */
export interface Finding {
  /** `note`: worth knowing, but nothing is wrong. */
  state: 'ok' | 'note' | 'wrong'
  /** The thing, in a word or two. */
  what: string
  message: string
  detail?: string
  /** What to do. */
  hint?: string
}

/** What a look at one thing found, and an error that ended it as a finding. */
export async function look(what: string, work: () => Promise<Finding | Finding[]> | Finding | Finding[]): Promise<Finding[]> {
  try {
    return [await work()].flat()
  } catch (error) {
    const { message, detail, hint } = explainError(error)
    return [{ state: 'wrong', what, message, ...(detail === null ? {} : { detail }), ...(hint === null ? {} : { hint }) }]
  }
}

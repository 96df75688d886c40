import type { RowReject } from '../copy-plan.ts'
import { PermanentError } from '../errors.ts'

/** Rows that were left out: the first of them one by one. */
export interface Rejects {
  count: number
  told: RowReject[]
}

/** The file fails as a whole; what was left out is kept, so that it can be mended. */
export class LoadRefused extends PermanentError {
  rejects: Rejects = { count: 0, told: [] }
}

import type { CopyFormat, CopyPiece, CopyPlan } from '../copy-plan.ts'
import type { EmptyFormulas, TableFacts, TableRow } from '../table.ts'

/** A table as the reading thread has it. Its rows can be walked once, one way or the other. */
export interface SourceTable {
  facts: TableFacts
  rows(): AsyncGenerator<TableRow[]>
  copy(plan: CopyPlan): AsyncGenerator<CopyPiece>
  /** The table from its beginning, with every column in which something stands in any row. This one is let go. */
  withAllColumns(): Promise<SourceTable>
  /** As far as the rows have been walked. Missing where there can be none. */
  emptyFormulas?(): EmptyFormulas[]
}

/** The bytes of every plan are written in COPY's text format, whatever kind of file the rows come from. */
export const COPY_FORMAT: CopyFormat = { format: 'text' }

export const ROWS_PER_BATCH = 1000

import type { CopyPiece, CopyPlan } from '../copy-plan.ts'
import { headerKeys } from '../reading/header-lines.ts'
import { createRowEncoder } from '../reading/row-encoder.ts'
import type { Table, TableFacts, TableRow } from '../table.ts'
import type { FixedRow } from './load.ts'

/** The tables of a file with other rows than the file's: those that a person corrected. What is known of the tables is the file's. */
export async function* tablesOfFixedRows(tables: AsyncIterable<Table>, fixed: FixedRow[]): AsyncGenerator<Table> {
  for await (const table of tables) {
    await table.close()
    const keys = headerKeys(table.headers)
    const rows = fixed
      .filter(({ sheet }) => sheet === table.sheet)
      .map(({ line, values }) => ({ line, values: keys.map((key) => values[key] ?? null) }))
    if (rows.length > 0) yield tableOfRows(table, rows)
  }
}

/** A table whose rows are at hand. */
export function tableOfRows({ kind, sheet, headers, headerLine }: TableFacts, rows: TableRow[]): Table {
  return { kind, sheet, headers, headerLine, sample: rows.slice(0, 200), rows: oneBatch(rows), copy, close: async () => {} }

  async function copy(plan: CopyPlan) {
    return { format: { format: 'text' as const }, pieces: pieces(plan) }
  }

  async function* pieces(plan: CopyPlan): AsyncGenerator<CopyPiece> {
    const encoder = await createRowEncoder(plan, { kind, sheet, headers })
    for (const { line, values } of rows) {
      encoder.add(line, values, [])
      if (!encoder.isFull()) continue
      const piece = encoder.take()
      if (piece !== null) yield piece
    }
    const last = encoder.take()
    if (last !== null) yield last
  }
}

async function* oneBatch(rows: TableRow[]): AsyncGenerator<TableRow[]> {
  yield rows
}

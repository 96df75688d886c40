import type { CopyPiece, CopyPlan } from '../copy-plan.ts'
import { headerKeys } from '../reading/header-lines.ts'
import { createRowEncoder } from '../reading/row-encoder.ts'
import type { Table, TableFacts, TableRow } from '../table.ts'
import type { FixedRow } from './load.ts'

/** The tables of a file with other rows than the file's: those that a person corrected. What is known of the tables is the file's. */
export async function* tablesOfFixedRows(tables: AsyncIterable<Table>, fixed: FixedRow[]): AsyncGenerator<Table> {
  for await (const opened of tables) {
    const own = fixed.filter(({ sheet }) => sheet === opened.sheet)
    const table = opened.kind !== 'csv' && hasOtherKeys(own, opened) ? await opened.withAllColumns() : opened
    await table.close()
    const keys = headerKeys(table.headers)
    const rows = own.map(({ line, values }) => ({ line, values: keys.map((key) => values[key] ?? null) }))
    if (rows.length > 0) yield tableOfRows(table, rows)
  }
}

/** Their file was loaded with all its columns, those without a name too. */
function hasOtherKeys(rows: FixedRow[], { headers }: Table): boolean {
  const keys = new Set(headerKeys(headers))
  return rows.some(({ values }) => Object.keys(values).some((key) => !keys.has(key)))
}

/** A table whose rows are at hand. */
export function tableOfRows({ kind, sheet, headers, headerLine }: TableFacts, rows: TableRow[]): Table {
  const table: Table = { kind, sheet, headers, headerLine, sample: rows.slice(0, 200), rows: oneBatch(rows), withAllColumns, copy, close }
  return table

  async function withAllColumns(): Promise<Table> {
    return table
  }

  async function close(): Promise<void> {}

  async function copy(plan: CopyPlan) {
    return { format: { format: 'text' as const }, pieces: pieces(plan) }
  }

  async function* pieces(plan: CopyPlan): AsyncGenerator<CopyPiece> {
    const encoder = await createRowEncoder(plan, { sheet, headers }, kind !== 'csv')
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

import type { Table } from '../../systemscripts/table.ts'

/** A table that has these columns and no row. */
export function emptyTable(headers: string[]): Table {
  const table: Table = {
    kind: 'json',
    sheet: null,
    headers,
    headerLine: 0,
    sample: [],
    rows: none(),
    withAllColumns: async () => table,
    copy: async () => ({ format: { format: 'text' }, pieces: none() }),
    close: async () => {},
  }
  return table
}

async function* none(): AsyncGenerator<never> {}

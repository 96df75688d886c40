import { type DocumentFile, saveDocument } from '../../../systemscripts/documents/document.ts'
import type { Cell, RowSource } from '../../../systemscripts/documents/row-source.ts'
import { temporaryFile } from '../test-files.ts'

/** Oids of built-in types by their name. */
const OIDS: Record<string, number> = {
  boolean: 16,
  bigint: 20,
  integer: 23,
  text: 25,
  json: 114,
  float8: 701,
  money: 790,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
}

/** Rows as a query would hand them over; columns as `id bigint`, in batches of so many. */
export function rowsOf(columns: string[], rows: Cell[][], { batch = 2, ...more }: { batch?: number } & Partial<RowSource> = {}): RowSource {
  return { columns: columns.map(columnOf), rows: batches(rows, batch), ...more }
}

/** As many rows as asked for, made while they are read. */
export function manyRows(columns: string[], count: number, row: (number: number) => Cell[], more: Partial<RowSource> = {}): RowSource {
  return { columns: columns.map(columnOf), rows: made(), ...more }

  async function* made(): AsyncGenerator<Cell[][]> {
    for (let from = 0; from < count; from += 1000) {
      yield Array.from({ length: Math.min(1000, count - from) }, (_, at) => row(from + at))
    }
  }
}

export async function bytesOf({ pieces }: DocumentFile): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces))
}

export async function textOf(document: DocumentFile): Promise<string> {
  return (await bytesOf(document)).toString()
}

/** The path of the document, which goes with the test. */
export async function savedAs(t: Parameters<typeof temporaryFile>[0], name: string, document: DocumentFile): Promise<string> {
  const path = await temporaryFile(t, name, '')
  await saveDocument(document, path)
  return path
}

function columnOf(said: string): { name: string; typeOid: number } {
  const [, name = '', type = ''] = /^(.*) (\w+)$/s.exec(said) ?? []
  const typeOid = OIDS[type]
  if (typeOid === undefined) throw new Error(`no oid of "${type}" is known here`)
  return { name, typeOid }
}

async function* batches(rows: Cell[][], size: number): AsyncGenerator<Cell[][]> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size)
}

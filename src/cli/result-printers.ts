import type { FieldDef } from 'pg'
import type { Output } from './output.ts'
import { formatTable } from './print-table.ts'

/** Prints the results of statements, one after the other. */
export interface ResultPrinter {
  /** A result with columns begins; also called for one without rows. */
  begin(fields: readonly FieldDef[]): void
  row(values: readonly unknown[]): void
  /** The result is complete. */
  end(): void
  /** What Postgres says of a statement that gave no columns: "INSERT 3". */
  done(tag: string): void
}

/** Columns for eyes. Gathers a result, since a column is as wide as its widest value. */
export function tablePrinter(out: Output): ResultPrinter {
  let fields: readonly FieldDef[] = []
  let rows: (readonly unknown[])[] = []
  return {
    begin(given) {
      fields = given
      rows = []
    },
    row: (values) => rows.push(values),
    end() {
      const columns = fields.map(({ name, dataTypeID }, index) => ({
        title: name,
        text: (row: readonly unknown[]) => textOf(row[index]),
        align: numericTypes.has(dataTypeID) ? ('right' as const) : ('left' as const),
      }))
      for (const line of formatTable(rows, columns)) out.line(line)
      out.line(rows.length === 1 ? '(1 row)' : `(${rows.length} rows)`)
    },
    done: (tag) => out.line(tag),
  }
}

/** CSV after RFC 4180, rows as they come: an empty field is null, `""` is empty text. */
export function csvPrinter(out: Output, err: Output): ResultPrinter {
  return {
    begin: (fields) => out.line(fields.map(({ name }) => csvField(name)).join(',')),
    row: (values) => out.line(values.map(csvField).join(',')),
    end: () => {},
    done: (tag) => err.line(tag),
  }
}

/** One JSON object a line, rows as they come. */
export function jsonPrinter(out: Output, err: Output): ResultPrinter {
  let names: string[] = []
  return {
    begin: (fields) => {
      names = fields.map(({ name }) => name)
    },
    row: (values) => out.line(JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index]])))),
    end: () => {},
    done: (tag) => err.line(tag),
  }
}

/** smallint, integer, bigint, real, double precision, numeric, oid */
const numericTypes = new Set([20, 21, 23, 26, 700, 701, 1700])

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function csvField(value: unknown): string {
  const text = textOf(value)
  if (text === null) return ''
  return text === '' || /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

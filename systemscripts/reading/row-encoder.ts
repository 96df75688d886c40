import type { CopyPiece, CopyPlan, OutputColumn, RowReject } from '../copy-plan.ts'
import { PermanentError } from '../errors.ts'
import type { Typed } from '../grid.ts'
import type { TableFacts } from '../table.ts'
import { type Converted, RefusedValue } from '../values/refused-value.ts'
import { textTest } from '../values/safe-pattern.ts'
import type { Conversion } from '../values.ts'
import { headerKeys, strayKey } from './header-lines.ts'
import { PieceBuffer, putByte, putCopyText, putCsvText, putNull, putOnlyField, TAB } from './piece-buffer.ts'
import type { Stray } from './table-shape.ts'

/** Converts rows as a plan says and gathers them, encoded, and the rows that do not fit. */
export interface RowEncoder {
  /** What is gathered for the next piece; a lane of its own may write whole rows into it and count them by `countRow`. */
  out: PieceBuffer
  /** The value converter of each column of the plan; null where the value goes as it came. */
  conversions: (Conversion | null)[]
  /** Encodes the row, or takes it among the refused ones. `values` and `typed` (default: all texts) by header. */
  add(line: number, values: (string | null)[], strays: Stray[], typed?: Typed): void
  /** Whether a person corrected the row at this line. */
  isCorrected(line: number): boolean
  /** @throws PermanentError `empty_mark` when the value says that there is nothing in the file */
  refuseEmptyMark(firstValue: string | null | undefined, line: number): void
  /** A row was written past `add`. */
  countRow(): void
  isFull(): boolean
  /** What has been gathered since the last piece; null when that is nothing. */
  take(): CopyPiece | null
}

/** A piece of refused rows only is sent off when there are so many. */
const REJECTS_PER_PIECE = 1000
/** Of rows without a refusal told, so that progress is heard of. */
const ROWS_PER_PIECE = 100_000

/** @param isOriginUnknown of values nobody knows whether they were typed in the workbook (values.ts). Default false */
export async function createRowEncoder(
  plan: CopyPlan,
  { sheet, headers }: Pick<TableFacts, 'sheet' | 'headers'>,
  isOriginUnknown = false,
): Promise<RowEncoder> {
  const keys = headerKeys(headers.map(shown))
  const { columns } = plan
  const conversions = await conversionsOf(columns, isOriginUnknown)
  const emptyMark = plan.emptyWhen === null ? null : textTest(plan.emptyWhen, (why) => new Error(why))
  const corrections = new Map(plan.corrections.filter((one) => one.sheet === sheet).map((one) => [one.line, one.values]))
  const isCsv = plan.output === 'csv'
  const separator = isCsv ? COMMA : TAB
  const putCsv = columns.length === 1 ? putOnlyField : putCsvText
  const out = new PieceBuffer()
  let rowsWritten = 0
  let rowsRead = 0
  let rejects: RowReject[] = []
  let rowsTooWide = 0
  let told = 0

  return {
    out,
    conversions,
    add,
    isCorrected: (line) => corrections.has(line),
    refuseEmptyMark,
    countRow: () => {
      rowsWritten += 1
      rowsRead += 1
    },
    isFull: () => out.isFull() || rejects.length >= REJECTS_PER_PIECE || rowsRead >= ROWS_PER_PIECE,
    take,
  }

  function add(line: number, came: (string | null)[], cameBeyond: Stray[], typed?: Typed): void {
    const correction = corrections.get(line)
    const values = correction === undefined ? came : came.map((value, index) => corrected(correction, keys[index] ?? '', value))
    refuseEmptyMark(values[0], line)
    rowsRead += 1
    const stray = correction === undefined ? cameBeyond[0] : undefined
    if (stray !== undefined) {
      rowsTooWide += 1
      reject(line, values, cameBeyond, null, { value: stray.value, isTyped: false }, tooManyFields(stray))
      return
    }
    const start = out.length
    for (let index = 0; index < columns.length; index += 1) {
      const column = columns[index]
      if (column === undefined) continue
      const isTyped = column.from === 'file' && typed?.[column.index] === true && values[column.index] === came[column.index]
      const value = outputOf(column, index, values, line, isTyped)
      if (value instanceof RefusedValue || !putValue(index, value)) {
        out.length = start
        const refusal = value instanceof RefusedValue ? value : value?.includes('\0') ? NUL_CHARACTER : NOT_UNICODE
        const isFile = column.from === 'file'
        const name = isFile ? (column.rule?.column ?? keys[column.index] ?? null) : null
        reject(line, values, cameBeyond, name, { value: isFile ? (values[column.index] ?? null) : null, isTyped }, refusal)
        return
      }
    }
    putByte(out, LINE_FEED)
    rowsWritten += 1
  }

  /** False for a text that Postgres cannot hold. */
  function putValue(index: number, value: string | null): boolean {
    if (index > 0) putByte(out, separator)
    if (isCsv) return putCsv(out, value)
    if (value !== null) return putCopyText(out, value)
    putNull(out)
    return true
  }

  function outputOf(column: OutputColumn, index: number, values: (string | null)[], line: number, isTyped: boolean): Converted {
    switch (column.from) {
      case 'file': {
        const value = values[column.index] ?? null
        const convert = conversions[index]
        return convert ? convert(value, isTyped) : value
      }
      case 'constant':
        return column.value
      case 'line':
        return String(line)
      case 'extra':
        return extraOf(column.values, values)
    }
  }

  function refuseEmptyMark(firstValue: string | null | undefined, line: number): void {
    if (emptyMark === null || firstValue == null || !emptyMark.test(firstValue)) return
    throw new PermanentError('empty_mark', `The first column says "${firstValue.slice(0, 200)}" in line ${line}.`)
  }

  function reject(
    line: number,
    values: (string | null)[],
    beyond: Stray[],
    column: string | null,
    { value, isTyped }: { value: string | null; isTyped: boolean },
    { rule, message }: { rule: string; message: string },
  ): void {
    told += 1
    if (told > plan.toldRejects) return
    const raw = Object.fromEntries([
      ...keys.map((key, index): [string, string | null] => [key, shownOrNull(values[index])]),
      ...beyond.map((stray): [string, string | null] => [strayKey(stray.column), shown(stray.value)]),
    ])
    rejects.push({ sheet, line, column, value: shownOrNull(value), ...(isTyped ? { isTyped } : {}), rule, message, raw })
  }

  function take(): CopyPiece | null {
    if (rowsRead === 0) return null
    const piece = { bytes: out.take(), rowsWritten, rowsRead, rejects, rowsTooWide }
    rowsWritten = 0
    rowsRead = 0
    rejects = []
    rowsTooWide = 0
    return piece
  }
}

/** The module of values is loaded only where there is a rule. */
async function conversionsOf(columns: OutputColumn[], isOriginUnknown: boolean): Promise<(Conversion | null)[]> {
  if (!columns.some((column) => column.from === 'file' && column.rule !== null)) return columns.map(() => null)
  const { createConversion } = await import('../values.ts')
  return columns.map((column) =>
    column.from === 'file' && column.rule !== null ? createConversion(column.rule, { isOriginUnknown }) : null,
  )
}

const COMMA = 44
const LINE_FEED = 10

const NUL_CHARACTER = { rule: 'nul_character', message: 'a NUL character stands in it, which Postgres cannot hold' }
const NOT_UNICODE = { rule: 'not_unicode', message: 'half of a surrogate pair stands in it, which is no character' }

function corrected(correction: Record<string, string | null>, key: string, value: string | null): string | null {
  return Object.hasOwn(correction, key) ? (correction[key] ?? null) : value
}

/** A NUL stays one, so that the row is refused, as half of a surrogate pair does: jsonb takes them in no form. */
function extraOf(members: { index: number; name: string }[], values: (string | null)[]): string | null {
  const filled = members.flatMap(({ index, name }): [string, string][] => {
    const value = values[index] ?? null
    return value === null ? [] : [[shown(name), value]]
  })
  const odd = filled.find(([, value]) => value.includes('\0') || !value.isWellFormed())
  if (odd !== undefined) return odd[1]
  return filled.length === 0 ? null : JSON.stringify(Object.fromEntries(filled))
}

function tooManyFields({ column }: Stray): { rule: string; message: string } {
  return { rule: 'too_many_fields', message: `a value stands in column ${column + 1}, which has no name and was empty before` }
}

/** Neither text nor jsonb of Postgres holds NUL, which is shown by its symbol, nor half of a surrogate pair. */
function shown(text: string): string {
  return text.replaceAll('\0', '\u2400').toWellFormed()
}

function shownOrNull(text: string | null | undefined): string | null {
  return text == null ? null : shown(text)
}

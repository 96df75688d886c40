import type { CellSink } from '../cell-sink.ts'
import type { CopyPlan } from '../copy-plan.ts'
import { createPlainBytes } from '../values/plain-bytes.ts'
import { RefusedValue } from '../values/refused-value.ts'
import { COPY_ESCAPES, CSV_SPECIALS, putByte, putCopyText, putCsvText, putNull, TAB } from './piece-buffer.ts'
import type { RowEncoder } from './row-encoder.ts'
import type { TableShape } from './table-shape.ts'

/**
 * Writes the cells of a table's rows into the encoder's piece as they come, from byte to byte where no rule converts them. A row that is not plain
 * (corrected, refused, with values beyond the columns, its cells out of order) is taken back at its end and goes as texts through the encoder,
 * which writes the same.
 *
 * @returns null for a plan or a table that needs every row as texts
 */
export function createCellCopier(plan: CopyPlan, shape: TableShape, encoder: RowEncoder): CellSink | null {
  const isCsv = plan.output === 'csv'
  if (needsTexts(plan, shape)) return null
  const { out, conversions } = encoder
  const { columns, headerLine, skipHidden } = shape
  const fieldCount = plan.columns.length
  const fieldOf = fieldsByColumn(plan, shape)
  const special = isCsv ? CSV_SPECIALS : COPY_ESCAPES
  const separator = isCsv ? COMMA : TAB
  // Of each field of the row that is written: what it was given as, and where it stands in the piece, or its text.
  const kinds = new Uint8Array(fieldCount)
  const starts = new Int32Array(fieldCount)
  const ends = new Int32Array(fieldCount)
  const texts: string[] = new Array(fieldCount).fill('')
  const typed: boolean[] = new Array(fieldCount).fill(false)
  /** By column what is not written. */
  const others = new Map<number, { text: string; isTyped: boolean }>()
  const plainBytes = plan.columns.map((column) => (column.from === 'file' && column.rule !== null ? createPlainBytes(column.rule) : null))
  let line = 0
  let rowStart = 0
  let written = 0
  let isSkipped = false
  let isPlain = true

  return { isFull: encoder.isFull, startRow, putBytes, putText, endRow }

  function startRow(number: number, isHidden: boolean): void {
    line = number
    isSkipped = line <= headerLine || (skipHidden && isHidden)
    isPlain = !isSkipped && !encoder.isCorrected(line)
    rowStart = out.length
    written = 0
    if (others.size > 0) others.clear()
  }

  /** Hot: every value of the sheet passes here. */
  function putBytes(column: number, bytes: Uint8Array, from: number, to: number, isTyped: boolean): void {
    const field = column < fieldOf.length ? (fieldOf[column] ?? STRAY) : STRAY
    if (!isPlain || field < written || (conversions[field] !== null && plainBytes[field]?.(bytes, from, to) !== true)) {
      putText(column, decode(bytes, from, to), isTyped)
      return
    }
    startField(field)
    out.reserve(to - from)
    const target = out.bytes
    const start = out.length
    let end = start
    let found = 0
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] ?? 0
      found |= special[byte] ?? 0
      target[end] = byte
      end += 1
    }
    if (found !== 0) {
      putField(column, field, decode(bytes, from, to), isTyped)
      return
    }
    out.length = end
    kinds[field] = BYTES
    typed[field] = isTyped
    starts[field] = start
    ends[field] = end
  }

  function putText(column: number, text: string, isTyped: boolean): void {
    const field = column < fieldOf.length ? (fieldOf[column] ?? STRAY) : STRAY
    if (isPlain && field >= written) {
      startField(field)
      putField(column, field, text, isTyped)
      return
    }
    if (field !== UNUSED) isPlain = false
    others.set(column, { text, isTyped })
  }

  function endRow(): void {
    if (isPlain) fillUpTo(fieldCount)
    if (isPlain) {
      putByte(out, LINE_FEED)
      encoder.countRow()
    } else if (!isSkipped) addAsTexts()
  }

  function addAsTexts(): void {
    const cells = columns.map((column) => others.get(column) ?? writtenCell(fieldOf[column] ?? STRAY))
    const strays = [...others].filter(([column]) => column >= fieldOf.length || fieldOf[column] === STRAY)
    out.length = rowStart
    encoder.add(
      line,
      cells.map((cell) => cell?.text ?? null),
      strays.sort(([left], [right]) => left - right).map(([column, { text }]) => ({ column, value: text })),
      cells.map((cell) => cell?.isTyped === true),
    )
  }

  function writtenCell(field: number): { text: string; isTyped: boolean } | null {
    if (field < 0 || field >= written || kinds[field] === NOTHING) return null
    const text = kinds[field] === TEXT ? (texts[field] ?? '') : decode(out.bytes, starts[field] ?? 0, ends[field] ?? 0)
    return { text, isTyped: typed[field] === true }
  }

  function startField(field: number): void {
    if (field > written) fillUpTo(field)
    if (field > 0) putByte(out, separator)
    written = field + 1
  }

  /** The fields up to this one that have no cell. */
  function fillUpTo(field: number): void {
    for (; written < field; written += 1) {
      if (written > 0) putByte(out, separator)
      kinds[written] = NOTHING
      const given = plan.columns[written]
      const value = given?.from === 'constant' ? given.value : given?.from === 'line' ? String(line) : null
      if (!putValue(written, value, false)) isPlain = false
    }
  }

  function putField(column: number, field: number, text: string, isTyped: boolean): void {
    kinds[field] = TEXT
    texts[field] = text
    typed[field] = isTyped
    if (putValue(field, text, isTyped)) return
    isPlain = false
    others.set(column, { text, isTyped })
  }

  /** False, and nothing is written, for a value that is refused. */
  function putValue(field: number, text: string | null, isTyped: boolean): boolean {
    const convert = conversions[field] ?? null
    const value = convert === null ? text : convert(text, isTyped)
    if (value instanceof RefusedValue) return false
    if (isCsv) return putCsvText(out, value)
    if (value !== null) return putCopyText(out, value)
    putNull(out)
    return true
  }
}

const NOTHING = 0
const BYTES = 1
const TEXT = 2

/** A column that the table does not have. */
const STRAY = -1
/** One that the plan makes nothing of. */
const UNUSED = -2

const COMMA = 44
const LINE_FEED = 10

/** In a CSV of one field, a line says more than its value; elsewhere cells must come in the order of the fields. */
function needsTexts({ columns, output, emptyWhen }: CopyPlan, { range, endsWhen }: TableShape): boolean {
  if (range !== null || endsWhen !== null || emptyWhen !== null || (output === 'csv' && columns.length === 1)) return true
  const indexes = columns.flatMap((column) => (column.from === 'file' ? [column.index] : []))
  return columns.some(({ from }) => from === 'extra') || indexes.some((index, at) => index <= (indexes[at - 1] ?? -1))
}

function fieldsByColumn(plan: CopyPlan, { columns }: TableShape): Int32Array {
  const fields = new Int32Array((columns.at(-1) ?? -1) + 1).fill(STRAY)
  for (const column of columns) fields[column] = UNUSED
  plan.columns.forEach((given, field) => {
    const column = given.from === 'file' ? columns[given.index] : undefined
    if (column !== undefined) fields[column] = field
  })
  return fields
}

function decode(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString()
}

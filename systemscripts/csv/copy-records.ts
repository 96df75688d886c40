import type { CopyPlan } from '../copy-plan.ts'
import { COPY_ESCAPES, putCopyText, putNull, TAB } from '../reading/piece-buffer.ts'
import type { RowEncoder } from '../reading/row-encoder.ts'
import { endsBefore, straysOf, type TableShape } from '../reading/table-shape.ts'
import { createPlainBytes } from '../values/plain-bytes.ts'
import { RefusedValue } from '../values/refused-value.ts'
import { DOUBLED, QUOTED, type RecordBatch, SPECIAL } from './record-batch.ts'
import type { RecordTexts } from './record-texts.ts'

export interface RecordCopier {
  /**
   * Writes records of the batch, from number `from` on, until the piece is full.
   * @returns the number of the first record that was not written; `isEnd` when the table ends before it
   */
  copy(bytes: Buffer, batch: RecordBatch, from: number): { next: number; isEnd: boolean }
}

const LINE_FEED = 10
const BACKSLASH = 92

/**
 * Writes the fields of a CSV as COPY's text format from byte to byte, without making texts of those that no rule converts, or that a rule
 * leaves as they are. Rows that are not plain (corrected ones, refused ones, values beyond the columns, plans with `extra`) go as texts
 * through the encoder, which writes the same.
 */
export function createRecordCopier(
  plan: CopyPlan,
  shape: TableShape,
  encoder: RowEncoder,
  texts: RecordTexts,
  quoting: { quote: string | null; escape: string | null },
): RecordCopier {
  const { out, conversions } = encoder
  const isTextsOnly = plan.output === 'csv' || plan.columns.some(({ from }) => from === 'extra')
  const looksAtFirst = plan.emptyWhen !== null || shape.endsWhen !== null
  const widest = shape.columns.length === 0 ? 0 : (shape.columns.at(-1) ?? 0) + 1
  const isDense = widest === shape.columns.length
  const hasCorrections = plan.corrections.length > 0
  // A column of the plan as a number: the field's place, or what else it is.
  const fieldOf = Int32Array.from(plan.columns, (column) =>
    column.from === 'file' ? (shape.columns[column.index] ?? NO_FIELD) : column.from === 'line' ? LINE : CONSTANT,
  )
  const constants = plan.columns.map((column) => (column.from === 'constant' ? constantBytes(column.value) : new Uint8Array()))
  const constantLength = constants.reduce((sum, { length }) => sum + length, 0)
  const columnCount = plan.columns.length
  const plainBytes = plan.columns.map((column) => (column.from === 'file' && column.rule !== null ? createPlainBytes(column.rule) : null))
  // For columns with a rule: whether an empty field is null in the end, too.
  const staysNull = conversions.map((convert) => convert === null || convert(null) === null)
  const quote = quoting.quote === null ? -1 : quoting.quote.charCodeAt(0)
  const escaping = quoting.escape === null ? -1 : quoting.escape.charCodeAt(0)

  return { copy }

  function copy(bytes: Buffer, batch: RecordBatch, from: number): { next: number; isEnd: boolean } {
    for (let record = from; record < batch.count; record += 1) {
      if (encoder.isFull()) return { next: record, isEnd: false }
      const line = batch.lines[record] ?? 0
      if (line <= shape.headerLine) continue
      const first = batch.firstField[record] ?? 0
      const count = (batch.firstField[record + 1] ?? 0) - first
      if (shape.range !== null && line > shape.range.lastLine) return { next: record, isEnd: true }
      if (looksAtFirst) {
        const column = shape.columns[0] ?? 0
        const firstValue = column < count ? texts.fieldText(batch, first + column) : null
        if (endsBefore(shape, line, firstValue)) return { next: record, isEnd: true }
        encoder.refuseEmptyMark(firstValue, line)
      }
      const isPlain = !isTextsOnly && (count <= widest ? isDense || !hasStrays(batch, first, count) : !hasStrays(batch, first, count))
      if (!isPlain || (hasCorrections && encoder.isCorrected(line)) || !writeRecord(bytes, batch, first, count, line))
        addAsTexts(batch, record, line)
    }
    return { next: batch.count, isEnd: false }
  }

  function hasStrays(batch: RecordBatch, first: number, count: number): boolean {
    const { columns, range } = shape
    let next = 0
    for (let column = 0; column < count; column += 1) {
      if (columns[next] === column) next += 1
      else if (
        (batch.starts[first + column] ?? 0) < (batch.ends[first + column] ?? 0) &&
        (range === null || (column >= range.firstColumn && column <= range.lastColumn))
      )
        return true
    }
    return false
  }

  function addAsTexts(batch: RecordBatch, record: number, line: number): void {
    const cells = texts.cells(batch, record)
    const values = shape.columns.map((column) => cells[column] ?? null)
    encoder.add(line, values, straysOf(shape, cells))
  }

  /** Hot: every value of the file passes here. @returns false when a value is refused; then nothing was written */
  function writeRecord(bytes: Buffer, batch: RecordBatch, first: number, count: number, line: number): boolean {
    const { starts, ends, flags } = batch
    const length = count === 0 ? 0 : (ends[first + count - 1] ?? 0) - (starts[first] ?? 0)
    const rowStart = out.length
    // Every byte may need a backslash, every field may be \N; values that a rule makes longer ask for their own room.
    out.reserve(length * 2 + columnCount * 3 + constantLength + 16)
    let target = out.bytes
    let to = out.length
    for (let index = 0; index < columnCount; index += 1) {
      if (index > 0) {
        target[to] = TAB
        to += 1
      }
      const place = fieldOf[index] ?? NO_FIELD
      const conversion = conversions[index] ?? null
      const field = first + place
      const isGiven = place >= 0 && place < count
      const start = isGiven ? (starts[field] ?? 0) : 0
      const end = isGiven ? (ends[field] ?? 0) : 0
      const flag = isGiven ? (flags[field] ?? 0) : 0
      if (place >= 0 && start === end && (flag & QUOTED) === 0 && staysNull[index] === true) {
        target[to] = BACKSLASH
        target[to + 1] = 78
        to += 2
      } else if (
        place >= 0 &&
        (conversion === null || (start < end && (flag & DOUBLED) === 0 && plainBytes[index]?.(bytes, start, end) === true))
      ) {
        if ((flag & (SPECIAL | DOUBLED)) === 0) {
          for (let at = start; at < end; at += 1) {
            target[to] = bytes[at] ?? 0
            to += 1
          }
        } else {
          to = copySpecial(bytes, start, end, (flag & DOUBLED) !== 0, target, to)
        }
      } else if (place === CONSTANT) {
        const constant = constants[index]
        if (constant === undefined) continue
        for (let at = 0; at < constant.length; at += 1) {
          target[to] = constant[at] ?? 0
          to += 1
        }
      } else if (place === LINE) {
        to = putDigits(target, to, line)
      } else {
        const value = isGiven ? texts.fieldText(batch, field) : null
        const converted = conversion === null ? value : conversion(value)
        out.length = to
        if (converted === null) putNull(out)
        else if (converted instanceof RefusedValue || !putCopyText(out, converted)) {
          out.length = rowStart
          return false
        }
        out.reserve(length * 2 + columnCount * 3 + constantLength + 16)
        target = out.bytes
        to = out.length
      }
    }
    target[to] = LINE_FEED
    out.length = to + 1
    encoder.countRow()
    return true
  }

  function copySpecial(bytes: Buffer, start: number, end: number, isDoubled: boolean, target: Uint8Array, from: number): number {
    let to = from
    for (let at = start; at < end; at += 1) {
      let byte = bytes[at] ?? 0
      if (isDoubled && at + 1 < end) {
        const next = bytes[at + 1] ?? 0
        if ((byte === quote && next === quote) || (byte === escaping && (next === quote || next === escaping))) {
          at += 1
          byte = next
        }
      }
      const letter = COPY_ESCAPES[byte] ?? 0
      if (letter !== 0) {
        target[to] = BACKSLASH
        target[to + 1] = letter
        to += 2
      } else {
        target[to] = byte
        to += 1
      }
    }
    return to
  }
}

const NO_FIELD = -1
const CONSTANT = -2
const LINE = -3

function constantBytes(value: string | null): Uint8Array {
  if (value === null) return Buffer.from('\\N')
  return Buffer.from(value.replace(/[\\\t\n\r]/g, (character) => `\\${{ '\\': '\\', '\t': 't', '\n': 'n', '\r': 'r' }[character] ?? ''}`))
}

function putDigits(target: Uint8Array, from: number, number: number): number {
  const digits = String(number)
  for (let at = 0; at < digits.length; at += 1) target[from + at] = digits.charCodeAt(at)
  return from + digits.length
}

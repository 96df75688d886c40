import type { BiffGlobals } from './read-globals.ts'
import type { BiffRecord } from './records.ts'
import { readString } from './strings.ts'

/** Row and column from 0. `text` null: it comes in a record of its own that follows. */
export interface BiffCell {
  row: number
  column: number
  value: { type: 'number'; number: number; format: string } | { type: 'text' | 'boolean' | 'error'; text: string | null }
}

const ERRORS = new Map([
  [0, '#NULL!'],
  [7, '#DIV/0!'],
  [15, '#VALUE!'],
  [23, '#REF!'],
  [29, '#NAME?'],
  [36, '#NUM!'],
  [42, '#N/A'],
  [43, '#GETTING_DATA'],
])

const INTEGER_2 = 0x02
const NUMBER_2 = 0x03
const LABEL_2 = 0x04
const TRUTH_2 = 0x05
const NUMBER = 0x203
const LABEL = 0x204
const TRUTH = 0x205
const OLD = new Set([INTEGER_2, NUMBER_2, LABEL_2, TRUTH_2])
const FORMULAS = new Set([0x06, 0x206, 0x406])
const SHORT_NUMBER = 0x27e
const SHORT_NUMBERS = 0xbd
const RICH_LABEL = 0xd6
const SHARED_LABEL = 0xfd

/** All of these begin with the row. */
export const CELL_RECORDS = new Set([
  INTEGER_2,
  NUMBER_2,
  LABEL_2,
  TRUTH_2,
  NUMBER,
  LABEL,
  TRUTH,
  ...FORMULAS,
  SHORT_NUMBER,
  SHORT_NUMBERS,
  RICH_LABEL,
  SHARED_LABEL,
])

/** The cells in a record; none when it is of another kind. */
export function cellsOfRecord({ id, data }: BiffRecord, globals: BiffGlobals): BiffCell[] {
  const { biff, codePage, strings } = globals
  if (!CELL_RECORDS.has(id) || data.length < 6) return []
  const row = data.readUInt16LE(0)
  const column = data.readUInt16LE(2)
  // BIFF 2 has three bytes of looks, with the number of the format among them, the later ones the number of a style. Some writers mix them.
  const isOld = OLD.has(id) || (biff === 2 && FORMULAS.has(id))
  const at = isOld ? 7 : 6
  const number = (value: number): BiffCell[] => [{ row, column, value: { type: 'number', number: value, format: format() } }]
  const text = (value: string | null): BiffCell[] => [{ row, column, value: { type: 'text', text: value } }]
  const length = data.length - at
  if (FORMULAS.has(id)) return length < 8 ? [] : result()
  switch (id) {
    case INTEGER_2:
      return length < 2 ? [] : number(data.readUInt16LE(at))
    case NUMBER_2:
    case NUMBER:
      return length < 8 ? [] : number(data.readDoubleLE(at))
    case LABEL_2:
    case LABEL:
    case RICH_LABEL:
      return length < 1 ? [] : text(readString(data, at, isOld ? 1 : 2, biff, codePage))
    case TRUTH_2:
    case TRUTH:
      return length < 2 ? [] : truthOrError(data.readUInt8(at), data.readUInt8(at + 1) === 1)
    case SHORT_NUMBER:
      return length < 4 ? [] : number(shortNumber(data.readInt32LE(at)))
    case SHORT_NUMBERS:
      return manyNumbers()
    case SHARED_LABEL:
      return length < 4 ? [] : text(strings[data.readUInt32LE(at)] ?? '')
    default:
      return []
  }

  function format(): string {
    return isOld ? globals.formatNumbered(data.readUInt8(5) & 0x3f) : globals.formatOf(data.readUInt16LE(4))
  }

  function truthOrError(value: number, isError: boolean): BiffCell[] {
    if (isError) return [{ row, column, value: { type: 'error', text: errorText(value) } }]
    return [{ row, column, value: { type: 'boolean', text: value === 0 ? 'false' : 'true' } }]
  }

  /** A formula's stored value: [MS-XLS] 2.5.133. */
  function result(): BiffCell[] {
    if (data.readUInt16LE(at + 6) !== 0xffff) return number(data.readDoubleLE(at))
    const value = data.readUInt8(at + 2)
    switch (data.readUInt8(at)) {
      case 0:
        return text(null)
      case 1:
        return truthOrError(value, false)
      case 2:
        return truthOrError(value, true)
      default:
        return []
    }
  }

  function manyNumbers(): BiffCell[] {
    const cells: BiffCell[] = []
    for (let place = 4, index = 0; place + 6 <= data.length - 2; place += 6, index += 1) {
      const value = {
        type: 'number' as const,
        number: shortNumber(data.readInt32LE(place + 2)),
        format: globals.formatOf(data.readUInt16LE(place)),
      }
      cells.push({ row, column: column + index, value })
    }
    return cells
  }
}

/** What a cell shows for an error of that number. */
export function errorText(number: number): string {
  return ERRORS.get(number) ?? '#ERROR!'
}

const DOUBLE = Buffer.alloc(8)

/** 30 bits of a whole number, or the upper ones of a double; perhaps a hundred times what is meant: [MS-XLS] 2.5.217. */
export function shortNumber(bits: number): number {
  let value = bits >> 2
  if ((bits & 2) === 0) {
    DOUBLE.writeInt32LE(bits & ~3, 4)
    value = DOUBLE.readDoubleLE(0)
  }
  return (bits & 1) === 0 ? value : value / 100
}

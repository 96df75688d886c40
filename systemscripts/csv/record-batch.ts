/** Fields of whole records, as places in the bytes that were scanned. Used again by the next scan. */
export interface RecordBatch {
  /** Number of records. */
  count: number
  /** Of each record: the line where it starts, from 1, and the number of its first field. One more entry closes the last. */
  lines: Int32Array
  firstField: Int32Array
  /** Of each field: its bytes, without quotes around them, and the flags below. */
  starts: Int32Array
  ends: Int32Array
  flags: Uint8Array
  /** Where the first record begins that is not complete yet. */
  consumed: number
}

/** The field stood in quotes. */
export const QUOTED = 1
/** Quotes inside it are doubled or escaped. */
export const DOUBLED = 2
/** It holds a tab, a backslash or a line end. */
export const SPECIAL = 4
/** Blanks that are no data stand before it. */
export const BEHIND_BLANKS = 8

/** An empty one. */
export function newBatch(): RecordBatch {
  const [records, fields] = [4096, 65_536]
  return {
    count: 0,
    lines: new Int32Array(records),
    firstField: new Int32Array(records),
    starts: new Int32Array(fields),
    ends: new Int32Array(fields),
    flags: new Uint8Array(fields),
    consumed: 0,
  }
}

/** Room for twice as many fields. */
export function growFields(batch: RecordBatch): void {
  batch.starts = longer(batch.starts)
  batch.ends = longer(batch.ends)
  const flags = new Uint8Array(batch.flags.length * 2)
  flags.set(batch.flags)
  batch.flags = flags
}

/** Room for twice as many records. */
export function growRecords(batch: RecordBatch): void {
  batch.lines = longer(batch.lines)
  batch.firstField = longer(batch.firstField)
}

function longer(numbers: Int32Array): Int32Array {
  const more = new Int32Array(numbers.length * 2)
  more.set(numbers)
  return more
}

import { JobError } from '../errors.ts'
import type { Table } from '../table.ts'

/** Thrown when the first column says that there is nothing in the file; the message says where. */
export class EmptyFile extends Error {
  override name = 'EmptyFile'
}

/** In characters; what says that there is nothing is short, and an expression takes its time with what is long. */
const LONGEST_MARK = 1000

/** The header and the first rows, before columns are compared: a page that only says "nothing here" has other ones. @throws EmptyFile */
export function refuseEmptyMark(emptyWhen: RegExp | null, { headers, headerLine, sample }: Table): void {
  if (emptyWhen === null) return
  const first = [{ line: headerLine, values: headers.slice(0, 1) }, ...sample]
  for (const { line, values } of first) {
    const value = values[0]
    if (value != null && emptyWhen.test(value.slice(0, LONGEST_MARK)))
      throw new EmptyFile(`The first column says "${value.slice(0, 200)}" in line ${line}.`)
  }
}

/** Whether the file is empty by its first column, as this module or the reader says it. */
export function isEmptyFile(error: unknown): error is Error {
  return error instanceof EmptyFile || (error instanceof JobError && error.code === 'empty_mark')
}

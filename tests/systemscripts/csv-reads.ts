/** Reads CSV text and bytes for tests, and gives what was refused. */
import { type CsvOptions, readCsvBytes } from '../../systemscripts/csv.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { allValues } from './test-files.ts'

type Values = (string | null)[][]

export async function read(text: string, options: CsvOptions = {}): Promise<{ headers: string[]; values: Values }> {
  return readBytes([Buffer.from(text)], options)
}

export async function readBytes(pieces: Iterable<Buffer>, options: CsvOptions = {}): Promise<{ headers: string[]; values: Values }> {
  const table = await readCsvBytes(asyncOf(pieces), 'file.csv', options)
  return { headers: table.headers, values: await allValues(table) }
}

export async function refusal(text: string, options: CsvOptions = {}): Promise<PermanentError> {
  return bytesRefusal([Buffer.from(text)], options)
}

export async function bytesRefusal(pieces: Iterable<Buffer>, options: CsvOptions = {}): Promise<PermanentError> {
  try {
    await readBytes(pieces, options)
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}

export function bytesOf(text: string): AsyncGenerator<Buffer> {
  return asyncOf([Buffer.from(text)])
}

export async function* asyncOf(pieces: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pieces
}

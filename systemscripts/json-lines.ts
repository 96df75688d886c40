import { decodeText } from './csv/decode-text.ts'
import type { Grid, GridRow, Typed } from './grid.ts'
import { parseRecord } from './json-lines/parse-record.ts'
import { tooManyKeys } from './json-lines/refusals.ts'
import { splitRecords } from './json-lines/split-records.ts'

export interface JsonSource {
  fileName: string
  /** The file's bytes from the beginning; walked twice. */
  bytes(): AsyncIterable<Uint8Array>
  /** Default null: by byte order mark, else UTF-8. */
  encoding?: string | null
}

const ROWS_PER_BATCH = 500
/** No table of Postgres has more columns. */
const MOST_KEYS = 1600

/**
 * Records of JSON as a grid: one object a line, objects behind each other in whatever layout, or one array of objects.
 *
 * `names` are the keys of all records, in the order in which they first come; a first walk through the file collects them, since records leave
 * out what they do not have. Numbers keep the text that they have in the file (`1.10`, `12345678901234567890`), `true` and `false` are texts,
 * null and a missing key are null, arrays and objects inside a record stay the JSON text that they are. Where a record has a key twice, the
 * last counts, as in Postgres. A row's line is where its record begins. Records without a value are left out as blank rows are.
 *
 * @throws PermanentError `json_broken`, `json_not_records`, `json_record_too_large`, `json_too_many_keys`, and those of decodeText
 */
export async function readJsonRecords(source: JsonSource): Promise<Grid> {
  const keys = new Map<string, number>()
  for await (const records of recordsOf(source)) {
    for (const { text, line } of records) {
      parseRecord(text, line, source.fileName, (key) => {
        if (!keys.has(key)) keys.set(key, keys.size)
      })
      if (keys.size > MOST_KEYS) throw tooManyKeys(source.fileName, MOST_KEYS, line)
    }
  }
  return { kind: 'json', sheet: null, names: [...keys.keys()], rows: rowsOf(source, keys) }
}

async function* rowsOf(source: JsonSource, keys: Map<string, number>): AsyncGenerator<GridRow[]> {
  let batch: GridRow[] = []
  for await (const records of recordsOf(source)) {
    for (const { text, line } of records) {
      const cells = new Array<string | null>(keys.size).fill(null)
      const typed: Typed = new Array<boolean>(keys.size).fill(false)
      let isBlank = true
      parseRecord(text, line, source.fileName, (key, value, isTyped) => {
        const index = keys.get(key)
        if (index !== undefined) {
          cells[index] = value
          typed[index] = isTyped
        }
        isBlank &&= value === null
      })
      if (!isBlank) batch.push({ line, cells, typed })
      if (batch.length < ROWS_PER_BATCH) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

function recordsOf({ bytes, encoding = null, fileName }: JsonSource) {
  return splitRecords(decodeText(bytes(), encoding, fileName), fileName)
}

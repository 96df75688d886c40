import { createHash } from 'node:crypto'
import type { Row, RowSource } from '../../systemscripts/documents/row-source.ts'
import { PermanentError } from '../../systemscripts/errors.ts'

export interface Observed {
  source: RowSource
  /** When the rows have been walked: how many came. */
  rows(): number
  /** When the rows have been walked: SHA-256 of names and values, in their order. */
  fingerprint(): string
}

/** Counts and hashes rows while somebody walks them. */
export function observe(source: RowSource): Observed {
  const hash = createHash('sha256').update(JSON.stringify(source.columns.map(({ name }) => name)))
  let count = 0
  let digest: string | null = null
  return {
    source: { ...source, rows: passing() },
    rows: () => count,
    fingerprint: () => {
      digest ??= hash.update(`${source.withheld?.() ?? 'more'}`).digest('hex')
      return digest
    },
  }

  async function* passing(): AsyncGenerator<readonly Row[]> {
    for await (const batch of source.rows) {
      count += batch.length
      for (let from = 0; from < batch.length; from += hashedAtOnce) hash.update(listed(batch.slice(from, from + hashedAtOnce)))
      yield batch
    }
  }
}

/** Rows whose text stands in memory at once. */
const hashedAtOnce = 50

/** The same text whatever the batches are that the rows come in. */
function listed(rows: readonly Row[]): string {
  return `${JSON.stringify(rows).slice(1, -1)},`
}

/** Rows that stand in memory, to be walked as often as somebody likes. */
export interface KeptRows {
  rows: readonly Row[]
  again(): RowSource
}

/** @throws PermanentError `answer_too_large` when the values take more than `maxBytes` */
export async function keepRows(source: RowSource, maxBytes: number): Promise<KeptRows> {
  const rows: Row[] = []
  let bytes = 0
  for await (const batch of source.rows) {
    for (const row of batch) bytes += row.reduce((sum, value) => sum + (value?.length ?? 0), 0)
    if (bytes > maxBytes) {
      throw new PermanentError(
        'answer_too_large',
        `Its first ${rows.length + batch.length} rows take more than ${Math.round(maxBytes / 1_048_576)} MB`,
        {
          hint: 'Show fewer rows in the text (max_rows) and attach the rest (shown_as csv or xlsx), or raise max_bytes in dba.reportconfig.',
        },
      )
    }
    rows.push(...batch)
  }
  return {
    rows,
    again: () => ({
      ...source,
      rows: (async function* () {
        yield rows
      })(),
    }),
  }
}

/** CSV files for benches: 12 columns, about 130 bytes a row, with quotes, line breaks within fields, UTF-8, empty fields. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

export const csvColumns = [
  'trade_id',
  'account',
  'customer',
  'city',
  'traded_on',
  'traded_at',
  'price',
  'quantity',
  'is_open',
  'currency',
  'reference',
  'remark',
]

/** Types that hold these values. */
export const csvTypes: Record<string, string> = {
  trade_id: 'bigint',
  traded_on: 'date',
  traded_at: 'timestamp without time zone',
  price: 'numeric(12,4)',
  quantity: 'integer',
  is_open: 'boolean',
  reference: 'uuid',
}

/** @param seed makes the bytes of one file differ from those of another */
export async function writeCsv(path: string, rows: number, seed: number): Promise<void> {
  const out = createWriteStream(path)
  let text = `${csvColumns.join(',')}\n`
  for (let row = 1; row <= rows; row += 1) {
    text += csvRow(row, seed)
    if (text.length < 256 * 1024) continue
    if (!out.write(text)) await once(out, 'drain')
    text = ''
  }
  out.end(text)
  await once(out, 'finish')
}

const cities = ['Kraków', 'Łódź', 'Zürich', 'São Paulo', 'London', 'New York', 'Wien', 'Göteborg']
const remarks = ['', '', 'paid', '"said ""yes"""', '"first line\nsecond line"', '"a, b, c"', '', 'to be settled by the end of the month']

function csvRow(row: number, seed: number): string {
  const mixed = (row * 2654435761 + seed) >>> 0
  const day = String((mixed % 28) + 1).padStart(2, '0')
  const month = String((mixed % 12) + 1).padStart(2, '0')
  const hex = mixed.toString(16).padStart(8, '0')
  const clock = `${String(mixed % 24).padStart(2, '0')}:${String(mixed % 60).padStart(2, '0')}:${String(row % 60).padStart(2, '0')}`
  return (
    `${row},${String(mixed % 10_000_000).padStart(8, '0')},"Customer, no. ${mixed % 100_000}",${cities[mixed % 8]},2026-${month}-${day},` +
    `2026-${month}-${day} ${clock},${(mixed % 1_000_000) / 100},${mixed % 5000},${row % 2 === 0},EUR,` +
    `${hex}-0000-4000-8000-${hex}${String(seed % 10_000).padStart(4, '0')},${remarks[mixed % 8]}\n`
  )
}

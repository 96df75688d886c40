/**
 * Files that were cut, or had bytes changed on the way: each is read, perhaps with other values where no checksum guards them, or refused in four
 * fields; none hangs, and none ends in an error that nobody foresaw. The seed is printed by the assertion.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { PermanentError } from '../../systemscripts/errors.ts'
import { openSource } from '../../systemscripts/reading/open-source.ts'
import type { ReadRequest } from '../../systemscripts/reading/protocol.ts'
import { readSourceCells } from '../../systemscripts/reading/read-cells.ts'
import { written } from './read-workbook.ts'
import { temporaryFile, zipOf, zipParts } from './test-files.ts'

const ROUNDS = 60
const SHEETS = {
  Data: [['id', 'name', 'price'], ...Array.from({ length: 40 }, (_, row) => [row, `text ${row} ü`, row / 7])],
  More: [['x'], [true]],
}

const FILES: [kind: string, content: Buffer][] = [
  ...(['biff8', 'biff5', 'biff2', 'xlsx', 'xlsb', 'ods', 'fods', 'xlml'] as const).map((type): [string, Buffer] => [
    type,
    written(type, SHEETS),
  ]),
  ['html', Buffer.from(`<html><table>${'<tr><td rowspan=2 x:num="1.5">1<td colspan=2>b</tr><tr><td>c</tr>'.repeat(20)}</table></html>`)],
  ['csv', Buffer.from(`"a";b;"c ""d"""\n${'1,5;ü;"x\ny"\n'.repeat(60)}`)],
  ['json', Buffer.from('{"a":1,"b":[1,{"c":"d"}],"e":"f\\n"}\n'.repeat(40))],
  ['gzip', gzipSync('a,b\n1,2\n'.repeat(300))],
  ['zip', zipOf({ 'a.csv': 'a,b\n1,2\n', 'b.json': '{"a":1}\n'.repeat(20), 'book.xls': written('biff8', SHEETS) })],
]

for (const [name, whole] of FILES) {
  test(`a damaged file is read or refused: ${name}`, { timeout: 120_000 }, async (t) => {
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      await assertReadOrRefused(`${name}, seed ${seed}`, await temporaryFile(t, `damaged.${name}`, damaged(whole, seed)))
    }
  })
}

for (const type of ['xlsx', 'xlsb', 'ods'] as const) {
  test(`a workbook whose damage no checksum tells is read or refused: ${type}`, { timeout: 120_000 }, async (t) => {
    const parts = await zipParts(t, written(type, SHEETS))
    const names = Object.keys(parts).filter((name) => /(sheet1|workbook|styles|sharedStrings|content)\.(xml|bin)$/.test(name))
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      const name = names[seed % names.length] ?? ''
      const content = zipOf({ ...parts, [name]: damaged(parts[name] ?? Buffer.alloc(0), seed) })
      await assertReadOrRefused(`${type}, ${name}, seed ${seed}`, await temporaryFile(t, `damaged.${type}`, content))
    }
  })
}

async function assertReadOrRefused(what: string, path: string): Promise<void> {
  const started = performance.now()
  await readAll(path).catch((error: unknown) => assert.ok(error instanceof PermanentError, `${what}: ${String(error)}`))
  assert.ok(performance.now() - started < 20_000, `${what} took too long`)
}

async function readAll(path: string): Promise<void> {
  const request: ReadRequest = {
    path,
    kind: 'auto',
    sheet: '*',
    cellRange: null,
    headerRow: null,
    headerRows: 1,
    delimiter: null,
    quote: null,
    encoding: null,
    skipHidden: false,
    endsWhen: null,
    memberPattern: null,
    maxUnpackedBytes: null,
  }
  for await (const cells of readSourceCells(request)) assert.ok(cells.every(({ row, column }) => row >= 1 && column >= 1))
  for await (const table of openSource(request)) {
    for await (const rows of table.rows()) assert.ok(rows.every(({ values }) => values.length === table.facts.headers.length))
  }
}

/** One in three is cut, the others have some bytes changed. */
function damaged(whole: Buffer, seed: number): Buffer {
  const next = randomNumbers(seed)
  if (seed % 3 === 0) return whole.subarray(0, Math.max(1, Math.floor(next() * whole.length)))
  const bytes = Buffer.from(whole)
  for (let change = 0; change <= seed % 7; change += 1) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
  return bytes
}

/** Mulberry32: the same numbers for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed * 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

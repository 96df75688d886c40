/**
 * Files that were cut, or had bytes changed on the way: each is read, perhaps with other values where no checksum guards them, or refused in four
 * fields; none hangs, and none ends in an error that nobody foresaw. The seed is printed by the assertion.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { PermanentError } from '../../systemscripts/errors.ts'
import { fileKind } from '../../systemscripts/file-kind.ts'
import { contentOfFile, type FileContent, membersOf } from '../../systemscripts/file-members.ts'
import type { Grid } from '../../systemscripts/grid.ts'
import { readJsonRecords } from '../../systemscripts/json-lines.ts'
import { readHtmlTables } from '../../systemscripts/spreadsheet/html-grid.ts'
import { readWorkbook } from '../../systemscripts/spreadsheet/read-workbook.ts'
import { written } from './read-workbook.ts'
import { temporaryFile, zipOf } from './test-files.ts'

const ROUNDS = 60
const SHEETS = {
  Data: [['id', 'name', 'price'], ...Array.from({ length: 40 }, (_, row) => [row, `text ${row} ü`, row / 7])],
  More: [['x'], [true]],
}

const FILES: [kind: string, content: Buffer][] = [
  ...(['biff8', 'biff5', 'biff2', 'xlsb', 'ods', 'fods', 'xlml'] as const).map((type): [string, Buffer] => [type, written(type, SHEETS)]),
  ['html', Buffer.from(`<html><table>${'<tr><td rowspan=2 x:num="1.5">1<td colspan=2>b</tr><tr><td>c</tr>'.repeat(20)}</table></html>`)],
  ['json', Buffer.from('{"a":1,"b":[1,{"c":"d"}],"e":"f\\n"}\n'.repeat(40))],
  ['gzip', gzipSync('a,b\n1,2\n'.repeat(300))],
  ['zip', zipOf({ 'a.csv': 'a,b\n1,2\n', 'b.json': '{"a":1}\n'.repeat(20), 'book.xls': written('biff8', SHEETS) })],
]

for (const [name, whole] of FILES) {
  test(`a damaged file is read or refused: ${name}`, { timeout: 120_000 }, async (t) => {
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      const path = await temporaryFile(t, `damaged.${name}`, damaged(whole, seed))
      const started = performance.now()
      await readAll(path).catch((error: unknown) => assert.ok(error instanceof PermanentError, `${name}, seed ${seed}: ${String(error)}`))
      assert.ok(performance.now() - started < 20_000, `${name}, seed ${seed} took too long`)
    }
  })
}

async function readAll(path: string): Promise<void> {
  const kind = await fileKind(path)
  if (kind !== 'gzip' && kind !== 'zip') return readContent(await contentOfFile(path, kind))
  for (const member of await membersOf(path, kind)) {
    const content = await member.open()
    await readContent(content).finally(() => content.close())
  }
}

async function readContent({ kind, fileName, path, bytes }: FileContent): Promise<void> {
  if (kind === 'json') return walk([await readJsonRecords({ fileName, bytes })])
  if (kind === 'html') {
    const page = await readHtmlTables({ fileName, bytes })
    return walk(page.sheets.map((_, index) => page.grid(index)))
  }
  if (kind === 'csv' || kind === 'xlsx') {
    for await (const _ of bytes());
    return
  }
  const workbook = await readWorkbook({ path: path ?? '', kind, fileName })
  return walk(workbook.sheets.flatMap(({ hasCells }, index) => (hasCells ? [workbook.grid(index)] : [])))
}

async function walk(grids: Grid[]): Promise<void> {
  for (const grid of grids) {
    for await (const batch of grid.rows) {
      for (const { line, cells } of batch) assert.ok(line >= 1 && Array.isArray(cells))
    }
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

import assert from 'node:assert/strict'
import { appendFile, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { createSettleWatch, type FoundFile, listMatchingFiles, settledFiles } from '../../systemscripts/settled-files.ts'
import { temporaryFolder } from './test-files.ts'

const second = 1000
const noon = Date.UTC(2024, 0, 1, 12)

test('files whose whole name matches are listed with size and time, by name', async (t) => {
  const folder = await temporaryFolder(t)
  for (const name of ['b.csv', 'a.csv', 'a.txt', 'a.csv.part', '~$a.csv']) await writeFile(join(folder, name), name)
  await utimes(join(folder, 'a.csv'), noon / 1000, noon / 1000)
  const files = await listMatchingFiles(folder, { pattern: '*.csv' })
  assert.deepEqual(names(files), ['a.csv', 'b.csv'])
  assert.deepEqual([files[0]?.path, files[0]?.sizeBytes, files[0]?.modifiedAt], [join(folder, 'a.csv'), 5, new Date(noon)])
})

test('they can be ordered by their time, and found by a regular expression', async (t) => {
  const folder = await temporaryFolder(t)
  for (const [name, age] of [
    ['a1', 1],
    ['a2', 3],
    ['a3', 2],
    ['b', 4],
  ] as const) {
    await writeFile(join(folder, name), '')
    await utimes(join(folder, name), noon / 1000 - age, noon / 1000 - age)
  }
  const files = await listMatchingFiles(folder, { pattern: 'a\\d', patternKind: 'regex', orderBy: 'modified' })
  assert.deepEqual(names(files), ['a2', 'a3', 'a1'])
})

test('folders below are searched only when asked, hidden ones never', async (t) => {
  const folder = await temporaryFolder(t)
  for (const below of ['x/y', '.git']) await mkdir(join(folder, below), { recursive: true })
  for (const name of ['a.csv', 'x/b.csv', 'x/y/c.csv', '.git/d.csv']) await writeFile(join(folder, name), '')
  assert.deepEqual(names(await listMatchingFiles(folder, { pattern: '*.csv' })), ['a.csv'])
  assert.deepEqual(names(await listMatchingFiles(folder, { pattern: '*.csv', recurse: true })), ['a.csv', 'x/b.csv', 'x/y/c.csv'])
  assert.deepEqual(names(await listMatchingFiles(folder, { pattern: 'x/*.csv', recurse: true })), ['x/b.csv'])
})

test('symbolic links are neither taken nor followed, folders are no files', async (t) => {
  const folder = await temporaryFolder(t)
  const outside = await temporaryFolder(t)
  await writeFile(join(outside, 'secret.csv'), '')
  await symlink(join(outside, 'secret.csv'), join(folder, 'link.csv'))
  await symlink(outside, join(folder, 'out'))
  await mkdir(join(folder, 'folder.csv'))
  assert.deepEqual(await listMatchingFiles(folder, { pattern: '*', recurse: true }), [])
})

test('names with odd characters are found', async (t) => {
  const folder = await temporaryFolder(t)
  const odd = [' a.csv', 'a\'b"c.csv', 'a\nb.csv', 'ü 𝄞.csv', '-rf.csv', '$HOME.csv', '%20.csv']
  for (const name of odd) await writeFile(join(folder, name), '')
  assert.deepEqual(names(await listMatchingFiles(folder, { pattern: '*.csv' })).toSorted(), odd.toSorted())
})

test('a folder that is missing is an error that may mend, not an empty list', async () => {
  await assert.rejects(listMatchingFiles('/nowhere/inbox', { pattern: '*' }), { name: 'JobError', code: 'folder_missing' })
})

test('a file is settled when two looks far enough apart saw it the same', async () => {
  const watch = createSettleWatch({ settleSeconds: 2 })
  const file = found('a.csv')
  assert.deepEqual(await watch.look([file], noon), [])
  assert.deepEqual(await watch.look([file], noon + second), [])
  assert.deepEqual(await watch.look([file], noon + 2 * second), [file])
  assert.deepEqual(await watch.look([file], noon + 3 * second), [file])
})

test('a file that grows, is touched or is replaced starts anew', async () => {
  for (const change of [{ sizeBytes: 11 }, { modifiedAt: new Date(noon - 5 * second) }, { identity: '1:2' }]) {
    const watch = createSettleWatch({ settleSeconds: 2 })
    await watch.look([found('a.csv')], noon)
    const changed = { ...found('a.csv'), ...change }
    assert.deepEqual(await watch.look([changed], noon + 2 * second), [])
    assert.deepEqual(await watch.look([changed], noon + 4 * second), [changed])
  }
})

test('a file modified a moment ago is not settled however long ago the first look was', async () => {
  const watch = createSettleWatch({ settleSeconds: 60 })
  const file = { ...found('a.csv'), modifiedAt: new Date(noon + 30 * second) }
  await watch.look([file], noon)
  assert.deepEqual(await watch.look([file], noon + 60 * second), [])
  assert.deepEqual(await watch.look([file], noon + 90 * second), [file])
})

test('a time in the future is not held against a file', async () => {
  const watch = createSettleWatch({ settleSeconds: 2 })
  const file = { ...found('a.csv'), modifiedAt: new Date(noon + 86_400 * second) }
  await watch.look([file], noon)
  assert.deepEqual(await watch.look([file], noon + 2 * second), [file])
})

test('a file that was gone in between is new again', async () => {
  const watch = createSettleWatch({ settleSeconds: 2 })
  const file = found('a.csv')
  await watch.look([file], noon)
  await watch.look([], noon + second)
  assert.deepEqual(await watch.look([file], noon + 2 * second), [])
})

test('with a done-file beside it a file is settled at once, whichever way the done-file is named', async (t) => {
  const folder = await temporaryFolder(t)
  for (const name of ['a.csv', 'a.csv.done', 'b.csv', 'b.ok', 'c.csv']) await writeFile(join(folder, name), '')
  const settled = async (doneFile: string, pattern = '*') => names(await settledFiles(folder, { pattern, settleSeconds: 60, doneFile }))
  assert.deepEqual(await settled('.done'), ['a.csv'])
  assert.deepEqual(await settled('{name}.done'), ['a.csv'])
  assert.deepEqual(await settled('{stem}.ok', '*.csv'), ['b.csv'])
  assert.deepEqual(await settled('READY', '*.csv'), [])
  await writeFile(join(folder, 'READY'), '')
  assert.deepEqual(await settled('READY'), ['a.csv', 'a.csv.done', 'b.csv', 'b.ok', 'c.csv'])
})

test('looking for settled files leaves out the one that is being written', async (t) => {
  const folder = await temporaryFolder(t)
  for (const name of ['done.csv', 'growing.csv', 'gone.csv']) {
    await writeFile(join(folder, name), 'x')
    await utimes(join(folder, name), noon / 1000, noon / 1000)
  }
  const settling = settledFiles(folder, { pattern: '*.csv', settleSeconds: 0.3 })
  const writing = setInterval(() => appendFile(join(folder, 'growing.csv'), 'more'), 20)
  await rm(join(folder, 'gone.csv'))
  await writeFile(join(folder, 'x'), '')
  await rename(join(folder, 'x'), join(folder, 'late.csv'))
  const files = await settling
  clearInterval(writing)
  assert.deepEqual(names(files), ['done.csv'])
})

test('waiting for files to settle ends with the abort', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'a.csv'), '')
  const stop = new AbortController()
  const settling = settledFiles(folder, { pattern: '*', settleSeconds: 3600, signal: stop.signal })
  stop.abort(new Error('enough'))
  await assert.rejects(settling)
})

function found(name: string): FoundFile {
  return { path: `/inbox/${name}`, name, sizeBytes: 10, modifiedAt: new Date(noon - 60 * second), identity: '1:1' }
}

function names(files: FoundFile[]): string[] {
  for (const file of files) assert.equal(basename(file.path), basename(file.name))
  return files.map((file) => file.name)
}

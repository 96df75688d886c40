import assert from 'node:assert/strict'
import { appendFile, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { type ImportBench, importBench } from './import-harness.ts'

// For one file the commits are: claim, hash, dataset, load.

async function replace(path: string, content: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}`)
  await writeFile(draft, content)
  await rename(draft, path)
}

const rows = (bench: ImportBench) => bench.query('select a, count(*) as count from feeds.price group by a order by a')
const states = (bench: ImportBench) => bench.query('select file_id, state, kept_path is not null as is_kept from dba.file order by file_id')

test('a file that replaces one that was just loaded is loaded too, and is not put away in its place', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const path = await bench.put('inbox/a.csv', 'a\n1\n')
  const outcome = await bench.run({ afterCommit: async (commit) => void (commit === 4 && (await replace(path, 'a\n2\n'))) })
  assert.equal(outcome.files, 2)
  assert.deepEqual(await rows(bench), [
    { a: '1', count: 1 },
    { a: '2', count: 1 },
  ])
  // Its sender took the bytes of the first one away.
  assert.deepEqual(await states(bench), [
    { file_id: 1, state: 'loaded', is_kept: false },
    { file_id: 2, state: 'loaded', is_kept: true },
  ])
  assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['a.2.csv']])
})

test('a bad file that is replaced before it is put away leaves the good one to be loaded', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const path = await bench.put('inbox/a.csv', '%PDF-1.7')
  const replaceIt = async (commit: number) => void (commit === 4 && (await replace(path, 'a\n2\n')))
  await assert.rejects(bench.run({ afterCommit: replaceIt }), { code: 'files_failed' })
  assert.deepEqual(await rows(bench), [{ a: '2', count: 1 }])
  assert.deepEqual([await bench.names('inbox'), await bench.names('archive')], [[], ['a.2.csv']])
})

for (const [what, change, expected] of [
  ['written to', (path: string) => appendFile(path, '3\n'), ['1', '2', '3']],
  ['cut short', (path: string) => truncate(path, 4), ['1']],
  ['replaced', (path: string) => replace(path, 'a\n8\n9\n'), ['8', '9']],
] as const) {
  test(`a file that is ${what} while it is loaded is taken anew when it has settled`, async (t) => {
    const bench = await importBench(t)
    await bench.configure()
    const path = await bench.put('inbox/a.csv', 'a\n1\n2\n')
    let isDone = false
    const outcome = await bench.run({
      beforeCommit: async (commit) => {
        if (commit !== 3 || isDone) return
        isDone = true
        await change(path)
      },
    })
    assert.equal(outcome.files, 1)
    assert.deepEqual(
      (await rows(bench)).map(({ a }) => a),
      expected,
    )
    assert.ok(bench.log.some(({ data, level }) => data.code === 'file_changed' && level === 'warning'))
    assert.deepEqual(await bench.query('select state from dba.dataset'), [{ state: 'active' }])
  })
}

test('a file of its own run that changes while it is loaded fails the attempt, and the next one loads it', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const path = await bench.put('inbox/a.csv', 'a\n1\n')
  const args = { file: path }
  await assert.rejects(
    bench.run({ args, beforeCommit: async (commit) => void (commit === 3 && (await appendFile(path, '2\n'))) }),
    (error: unknown) => error instanceof JobError && !(error instanceof PermanentError) && error.code === 'file_changed',
  )
  assert.equal((await bench.run({ args })).rowsWritten, 2)
})

test('a file that its sender takes back while it is loaded leaves nothing', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  const path = await bench.put('inbox/a.csv', 'a\n1\n')
  const outcome = await bench.run({ beforeCommit: async (commit) => void (commit === 3 && (await unlink(path))) })
  assert.match(outcome.note ?? '', /^No file matches/)
  assert.deepEqual(await bench.query('select (select count(*) from dba.file) as files, (select count(*) from dba.dataset) as datasets'), [
    { files: 0, datasets: 0 },
  ])
  assert.ok(bench.log.some(({ message }) => message === 'File "a.csv" was gone before it could be loaded'))
})

test('a folder that is taken away in the middle fails the run, and what was loaded stays', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.csv', 'a\n1\n')
  await bench.put('inbox/2.csv', 'a\n2\n')
  const remove = async (commit: number) => void (commit === 5 && (await rm(join(bench.dataDir, 'inbox'), { recursive: true })))
  await assert.rejects(bench.run({ afterCommit: remove }), { code: 'folder_missing' })
  assert.deepEqual(await rows(bench), [{ a: '1', count: 1 }])
  assert.deepEqual(await states(bench), [{ file_id: 1, state: 'loaded', is_kept: true }])
})

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { faceAt } from '../../systemscripts/file-face.ts'
import { moveFile } from '../../systemscripts/move-file.ts'
import { temporaryFolder } from './test-files.ts'

test('a file is moved into a folder that is made for it, and keeps its name and time', async (t) => {
  const folder = await temporaryFolder(t)
  const source = await fileIn(folder, 'prices.csv', 'one')
  const { mtimeMs } = await stat(source)
  const moved = await moveFile(source, join(folder, 'archive', 'prices'))
  assert.equal(moved, join(folder, 'archive', 'prices', 'prices.csv'))
  assert.equal(await readFile(moved, 'utf8'), 'one')
  assert.equal((await stat(moved)).mtimeMs, mtimeMs)
  assert.deepEqual(await readdir(folder), ['archive'])
})

test('a name that is taken is numbered and nothing is overwritten', async (t) => {
  const folder = await temporaryFolder(t)
  const archive = join(folder, 'archive')
  const places: string[] = []
  for (const content of ['one', 'two', 'one']) places.push(basename(await moveFile(await fileIn(folder, 'a.tar.gz', content), archive)))
  assert.deepEqual(places, ['a.tar.gz', 'a.tar_2.gz', 'a.tar_3.gz'])
  assert.equal(await readFile(join(archive, 'a.tar.gz'), 'utf8'), 'one')
  assert.equal(await readFile(join(archive, 'a.tar_2.gz'), 'utf8'), 'two')
})

test('another name may be given, in another folder or in its own', async (t) => {
  const folder = await temporaryFolder(t)
  assert.equal(await moveFile(await fileIn(folder, 'a.csv', 'x'), folder, { name: 'b.csv' }), join(folder, 'b.csv'))
  assert.deepEqual(await readdir(folder), ['b.csv'])
})

test('a file that is there already stays', async (t) => {
  const folder = await temporaryFolder(t)
  const path = await fileIn(folder, 'a.csv', 'x')
  assert.equal(await moveFile(path, folder), path)
  assert.deepEqual(await readdir(folder), ['a.csv'])
})

test('a move that was cut short after the new name is finished by the next run, under the same name', async (t) => {
  const folder = await temporaryFolder(t)
  const source = await fileIn(folder, 'a.csv', 'x')
  await mkdir(join(folder, 'archive'))
  await link(source, join(folder, 'archive', 'a.csv'))
  assert.equal(await moveFile(source, join(folder, 'archive')), join(folder, 'archive', 'a.csv'))
  assert.deepEqual(await readdir(folder), ['archive'])
  assert.deepEqual(await readdir(join(folder, 'archive')), ['a.csv'])
})

test('names with odd characters are moved as they are', async (t) => {
  const folder = await temporaryFolder(t)
  for (const name of ['a b\n"c" $x;.csv', '-rf', 'ü 𝄞.xlsx', '.hidden', 'no extension']) {
    assert.equal(basename(await moveFile(await fileIn(folder, name, 'x'), join(folder, 'archive'))), name)
  }
})

test('a file that is gone, a folder and a symbolic link are refused', async (t) => {
  const folder = await temporaryFolder(t)
  await assert.rejects(moveFile(join(folder, 'gone.csv'), join(folder, 'archive')), { code: 'file_missing' })
  await mkdir(join(folder, 'inner'))
  await assert.rejects(moveFile(join(folder, 'inner'), join(folder, 'archive')), { code: 'file_not_plain' })
  await symlink(await fileIn(folder, 'a.csv', 'x'), join(folder, 'link.csv'))
  await assert.rejects(moveFile(join(folder, 'link.csv'), join(folder, 'archive')), { code: 'file_not_plain' })
})

test('two processes that move files of one name at once lose none', async (t) => {
  const folder = await temporaryFolder(t)
  const archive = join(folder, 'archive')
  const script = join(folder, 'move.ts')
  const moveUrl = new URL('../../systemscripts/move-file.ts', import.meta.url)
  await writeFile(
    script,
    `import { moveFile } from '${moveUrl}'\nfor (const path of process.argv.slice(2)) await moveFile(path, '${archive}')\n`,
  )
  const piles = await Promise.all(
    [0, 1].map((pile) =>
      Promise.all(
        Array.from({ length: 50 }, async (_, number) => {
          await mkdir(join(folder, `${pile}-${number}`))
          return fileIn(join(folder, `${pile}-${number}`), 'same.csv', `${pile}-${number}`)
        }),
      ),
    ),
  )
  const ends = await Promise.all(piles.map((paths) => once(fork(script, paths), 'exit')))
  assert.deepEqual(ends, [
    [0, null],
    [0, null],
  ])
  const contents = await Promise.all((await readdir(archive)).map((name) => readFile(join(archive, name), 'utf8')))
  assert.deepEqual(
    contents.toSorted(),
    piles
      .flat()
      .map((path) => basename(join(path, '..')))
      .toSorted(),
  )
})

test('across file systems the file is copied, named when it is whole, and a second run of the same bytes is one file', async (t) => {
  const folder = await temporaryFolder(t)
  const elsewhere = await mkdtemp('/dev/shm/rota-test-').catch(() => null)
  if (elsewhere === null || (await stat(elsewhere)).dev === (await stat(folder)).dev) return t.skip('no second file system at /dev/shm')
  t.after(() => rm(elsewhere, { recursive: true, force: true }))
  const source = await fileIn(folder, 'a.csv', 'one')
  const { mtimeMs } = await stat(source)
  const moved = await moveFile(source, elsewhere)
  assert.ok(Math.abs((await stat(moved)).mtimeMs - mtimeMs) < 2)
  assert.equal(await moveFile(await fileIn(folder, 'a.csv', 'one'), elsewhere), moved)
  assert.equal(await moveFile(await fileIn(folder, 'a.csv', 'two'), elsewhere), join(elsewhere, 'a_2.csv'))
  assert.deepEqual((await readdir(elsewhere)).toSorted(), ['a.csv', 'a_2.csv'])
  assert.deepEqual(await readdir(folder), [])
})

test('only the file that is meant is moved: another one that has taken its name stays', async (t) => {
  const folder = await temporaryFolder(t)
  const source = await fileIn(folder, 'a.csv', 'one')
  const face = (await faceAt(source)) ?? ''
  await rename(await fileIn(folder, 'b.csv', 'two'), source)
  await assert.rejects(moveFile(source, join(folder, 'archive'), { face }), { code: 'file_changed' })
  assert.equal(await readFile(source, 'utf8'), 'two')
  assert.deepEqual(await readdir(folder), ['a.csv'])
})

test('what a killed move across file systems left half copied goes with the next move of that file', async (t) => {
  const folder = await temporaryFolder(t)
  const elsewhere = await mkdtemp('/dev/shm/rota-test-').catch(() => null)
  if (elsewhere === null || (await stat(elsewhere)).dev === (await stat(folder)).dev) return t.skip('no second file system at /dev/shm')
  t.after(() => rm(elsewhere, { recursive: true, force: true }))
  const script = await fileIn(
    folder,
    'victim.mjs',
    `import { moveFile } from ${JSON.stringify(new URL('../../systemscripts/move-file.ts', import.meta.url).href)}
     await moveFile(process.argv[2], process.argv[3])`,
  )
  const source = await fileIn(folder, 'a.csv', 'x'.repeat(300_000_000))
  const victim = fork(script, [source, elsewhere])
  while ((await readdir(elsewhere)).length === 0) await new Promise((resolve) => setImmediate(resolve))
  victim.kill('SIGKILL')
  await once(victim, 'exit')
  const [left] = await readdir(elsewhere)
  if (left === undefined || !left.endsWith('.part')) return t.skip('the copy was faster than the kill')
  assert.deepEqual(await readdir(folder), ['a.csv', 'victim.mjs'])
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 })
  const moved = await moveFile(source, elsewhere)
  assert.deepEqual(await readdir(elsewhere), [basename(moved)])
})

async function fileIn(folder: string, name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content)
  return join(folder, name)
}

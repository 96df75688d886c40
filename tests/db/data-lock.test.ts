import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { lockDataDir } from '../../src/db/embedded/data-lock.ts'
import { waitForLock } from '../../src/db/embedded/kernel-lock.ts'
import { kill, launch } from '../helpers/launch.ts'

const launcher = new URL('embedded-launcher.ts', import.meta.url)

test('a second process on a data folder is refused, with the first one named and what to do instead', async (t) => {
  const dataDir = folder(t)
  const holder = await launch(t, launcher, ['lock', dataDir])
  await assert.rejects(lockDataDir(dataDir), (error: { code: string; message: string; detail: string; hint: string }) => {
    assert.equal(error.code, 'already_running')
    assert.equal(error.message, `Rota already runs on the data folder "${dataDir}"`)
    assert.match(error.detail, new RegExp(`^Process ${holder.process.pid} `))
    assert.match(error.hint, /npx rota worker/)
    assert.match(error.hint, /npx rota status/)
    return true
  })
})

test('a killed holder frees the folder at once', async (t) => {
  const dataDir = folder(t)
  const holder = await launch(t, launcher, ['lock', dataDir])
  await kill(holder.process)
  const lock = await lockDataDir(dataDir)
  await lock.release()
})

test('a released folder can be taken again, and a link to it counts as the same', async (t) => {
  const dataDir = folder(t)
  const lock = await lockDataDir(dataDir)
  const otherName = join(folder(t), 'link')
  symlinkSync(dataDir, otherName)
  await assert.rejects(lockDataDir(otherName), { code: 'already_running' })
  await lock.release()
  await lock.release()
  await (await lockDataDir(dataDir)).release()
})

test('of many that wait for a lock, one has it at a time and each gets it', async () => {
  const name = `test ${process.pid}`
  let holders = 0
  let most = 0
  const wait = async () => {
    const lock = await waitForLock(name)
    holders += 1
    most = Math.max(most, holders)
    await new Promise((next) => setImmediate(next))
    holders -= 1
    await lock.release()
  }
  await Promise.all(Array.from({ length: 8 }, wait))
  assert.equal(most, 1)
})

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'rota-lock-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

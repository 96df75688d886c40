import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureKeyFile } from '../../systemscripts/key-file.ts'
import { secretKeyOf } from '../../systemscripts/seal.ts'

const keys = {
  base64: randomBytes(32).toString('base64'),
  'base64 for addresses': randomBytes(32).toString('base64url'),
  hexadecimal: randomBytes(32).toString('hex'),
  'a passphrase': 'correct horse battery staple',
}

for (const [kind, text] of Object.entries(keys)) {
  test(`what a key of ${kind} sealed, the same key opens in another process`, async () => {
    const sealed = await secretKeyOf(text).seal('smtp_main', 'pässwörd\nwith two lines')
    assert.equal(await secretKeyOf(text).unseal('smtp_main', sealed), 'pässwörd\nwith two lines')
  })
}

test('sealed bytes show nothing of the secret and differ each time', async () => {
  const key = secretKeyOf(keys.base64)
  const [first, second] = [await key.seal('a', 'top secret'), await key.seal('a', 'top secret')]
  assert.ok(!first.includes('secret'))
  assert.notDeepEqual(first, second)
})

test('another key, another name and changed bytes are told as unreadable', async () => {
  const key = secretKeyOf(keys.base64)
  const sealed = await key.seal('smtp_main', 'secret')
  const changed = Buffer.from(sealed)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  const unreadable = { name: 'PermanentError', code: 'secret_unreadable', hint: /ROTA_SECRET_KEY.*rota secret set smtp_main/ }
  await assert.rejects(secretKeyOf(keys.hexadecimal).unseal('smtp_main', sealed), unreadable)
  await assert.rejects(secretKeyOf(keys['a passphrase']).unseal('smtp_main', sealed), unreadable)
  await assert.rejects(key.unseal('smtp_other', sealed), { code: 'secret_unreadable' })
  await assert.rejects(key.unseal('smtp_main', changed), unreadable)
  await assert.rejects(key.unseal('smtp_main', Buffer.of(1, 2, 3)), unreadable)
})

test('a short passphrase is refused without being shown', () => {
  assert.throws(
    () => secretKeyOf('hunter2'),
    (error) => {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'secret_key_too_short')
      assert.ok(!JSON.stringify({ ...error, message: error.message }).includes('hunter2'))
      return true
    },
  )
})

test('a key file is made once, for its owner only, with no draft left', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'deeper', 'secret.key')
  const made = await ensureKeyFile(path)
  assert.equal(Buffer.from(made, 'base64').length, 32)
  assert.equal(await ensureKeyFile(path), made)
  assert.deepEqual(await readdir(join(folder, 'deeper')), ['secret.key'])
  if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600)
})

test('many that need the key file at the same moment agree on one key', async (t) => {
  const path = join(await temporaryFolder(t), 'secret.key')
  const found = await Promise.all(Array.from({ length: 20 }, () => ensureKeyFile(path)))
  assert.deepEqual(new Set(found), new Set([(await readFile(path, 'utf8')).trim()]))
})

test('an empty key file is told rather than replaced', async (t) => {
  const path = join(await temporaryFolder(t), 'secret.key')
  await writeFile(path, '')
  await chmod(path, 0o600)
  await assert.rejects(ensureKeyFile(path), { code: 'key_file_unusable', message: /is empty/ })
})

async function temporaryFolder(t: { after(end: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-key-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

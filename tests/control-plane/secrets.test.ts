import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createSecrets, openSecretKey, type SecretsOptions } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { freshDatabase } from '../helpers/database.ts'

test('a secret that was set is read again, replaced, listed by name and removed', async (t) => {
  const { secrets, database } = await secretsOf(t)
  await secrets.set('smtp_main', 'first password')
  await secrets.set('smtp_main', 'second password')
  assert.equal(await secrets.get('smtp_main'), 'second password')
  assert.deepEqual(
    (await secrets.list()).map(({ secret_name, used_by }) => [secret_name, used_by]),
    [['smtp_main', []]],
  )
  const [row] = await database.query<{ sealed: Buffer }>('select sealed from dba.secret')
  assert.ok(!row?.sealed.includes('password'))
  await secrets.remove('smtp_main')
  await assert.rejects(secrets.get('smtp_main'), { code: 'secret_not_found', hint: 'Set it: rota secret set smtp_main' })
  await assert.rejects(secrets.remove('smtp_main'), { code: 'secret_not_found' })
})

test('a secret that a connection uses is not removed', async (t) => {
  const { secrets, database } = await secretsOf(t)
  await secrets.set('smtp_main', 'password')
  await database.query(
    `insert into dba.connection (connection_name, kind, host, secret_name) values ('mail', 'smtp', 'localhost', 'smtp_main')`,
  )
  await assert.rejects(secrets.remove('smtp_main'), { code: 'secret_in_use', detail: 'They are "mail".' })
  assert.equal(await secrets.get('smtp_main'), 'password')
  assert.deepEqual((await secrets.list())[0]?.used_by, ['mail'])
})

test('another key tells that the secret cannot be opened, and what to do', async (t) => {
  const { secrets, options } = await secretsOf(t)
  await secrets.set('smtp_main', 'password')
  const other = createSecrets({ ...options, key: await openSecretKey({ secretKey: 'quite another passphrase', dataDir: options.dataDir }) })
  await assert.rejects(other.get('smtp_main'), { name: 'PermanentError', code: 'secret_unreadable', message: /"smtp_main"/ })
})

test('a renamed row of dba.secret cannot be opened under its new name', async (t) => {
  const { secrets, database } = await secretsOf(t)
  await secrets.set('harmless', 'password')
  await database.query(`update dba.secret set secret_name = 'smtp_main'`)
  await assert.rejects(secrets.get('smtp_main'), { code: 'secret_unreadable' })
})

test('env: and file: references are read where the worker runs', async (t) => {
  const { secrets, options } = await secretsOf(t, { SMTP_PASSWORD: 'from the environment' })
  const path = join(options.dataDir, 'smtp_main')
  await writeFile(path, 'from a file\n')
  assert.equal(await secrets.get('env:SMTP_PASSWORD'), 'from the environment')
  assert.equal(await secrets.get(`file:${path}`), 'from a file')
  await assert.rejects(secrets.get('env:NOWHERE'), { code: 'secret_not_found', hint: /Set NOWHERE where the workers/ })
  await assert.rejects(secrets.get('file:/no/such/file'), { code: 'secret_not_found', detail: /ENOENT/ })
  await assert.rejects(secrets.get(`file:${options.dataDir}`), { code: 'secret_not_found' })
})

test("Rota's own keys are off limits to references, also through a link", async (t) => {
  const { secrets, options } = await secretsOf(t, { ROTA_SECRET_KEY: 'x'.repeat(20), DATABASE_URL: 'postgres://me:pw@host/db' })
  await openSecretKey({ dataDir: options.dataDir })
  await symlink(join(options.dataDir, 'secret.key'), join(options.dataDir, 'innocent'))
  const references = ['env:ROTA_SECRET_KEY', 'env:DATABASE_URL', `file:${options.dataDir}/secret.key`, `file:${options.dataDir}/innocent`]
  if (process.platform === 'linux') references.push('file:/proc/self/environ')
  for (const reference of references) await assert.rejects(secrets.get(reference), { code: 'secret_off_limits' }, reference)
})

test('what was handed out is masked from then on', async (t) => {
  const { secrets, options } = await secretsOf(t, { SMTP_PASSWORD: 'walk-in-the-park' })
  await secrets.get('env:SMTP_PASSWORD')
  assert.equal(options.redactor.text('login failed for walk-in-the-park'), 'login failed for ***')
})

test('names and values that make no secret are refused', async (t) => {
  const { secrets } = await secretsOf(t)
  await assert.rejects(secrets.set('SMTP main', 'x'), { code: 'secret_name_invalid' })
  await assert.rejects(secrets.set('smtp_main', ''), { code: 'secret_empty' })
})

test('nobody but the workers reads dba.secret', async (t) => {
  const { database } = await secretsOf(t)
  for (const role of ['rota_dba', 'rota_operator', 'rota_reader', 'rota_query', 'rota_job']) {
    const { query } = await database.as(role)
    await assert.rejects(query('select * from dba.secret'), { code: '42501' }, role)
  }
})

async function secretsOf(t: TestContext, env: NodeJS.ProcessEnv = {}) {
  const database = await freshDatabase(t)
  const key = await openSecretKey({ secretKey: randomBytes(32).toString('base64'), dataDir: database.dataDir })
  const options: SecretsOptions = { db: database.pool, key, redactor: createRedactor(), env, dataDir: database.dataDir }
  return { database, options, secrets: createSecrets(options) }
}

import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client } from 'pg'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'

// Roles belong to a whole server, so logins that lack them are tried on a server that has never seen Rota.
test('logins with too few rights are told what to run, and logins with just enough can migrate', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'rota-rights-'))
  chmodSync(dataDir, 0o755)
  const server = await startEmbedded({ dataDir, flags: ['-c', 'fsync=off'] })
  const admin = new Client({ connectionString: server.url })
  t.after(async () => {
    await admin.end()
    await server.stop()
    rmSync(dataDir, { recursive: true })
  })
  await admin.connect()

  await t.test('a plain login is refused, with the roles that are missing', async () => {
    const url = await loginWithDatabase(admin, server.url, 'plain', 'login')
    await assert.rejects(migrate(url), (error: { code: string; detail: string; hint: string }) => {
      assert.equal(error.code, 'roles_missing')
      assert.match(error.detail, /^Missing roles: .*rota_owner.*permission denied to create role/)
      assert.match(error.hint, /run onboarding\/roles[.]sql in this database.*alter role "plain" createrole/)
      return true
    })
  })

  await t.test('a login with CREATEROLE that owns the database can migrate it, twice', async () => {
    const url = await loginWithDatabase(admin, server.url, 'maker', 'login createrole')
    const first = await migrate(url)
    assert.deepEqual(await migrate(url), { applied: [], already: first.applied.length })
  })

  await t.test('a plain login that owns another database is told that the roles are not applied there', async () => {
    const url = databaseOf(server.url, 'plain')
    await assert.rejects(migrate(url), { code: 'roles_missing' })
  })

  await t.test('a plain login can migrate where an administrator has applied the roles and granted rota_owner', async () => {
    const url = databaseOf(server.url, 'plain')
    await admin.query('grant create on database plain to rota_owner')
    await assert.rejects(migrate(url), { code: 'owner_not_granted', hint: 'As an administrator: grant rota_owner to "plain".' })
    await admin.query('grant rota_owner to plain')
    assert.ok((await migrate(url)).applied.length > 0)
  })
})

async function loginWithDatabase(admin: Client, server: string, name: string, rights: string): Promise<string> {
  await admin.query(`create role ${name} ${rights} password 'for-tests-only'`)
  await admin.query(`create database ${name} owner ${name}`)
  return databaseOf(server, name)
}

function databaseOf(server: string, name: string): string {
  const url = new URL(server)
  Object.assign(url, { username: name, password: 'for-tests-only', pathname: `/${name}` })
  return url.href
}

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { CheckConnectionOptions } from '../../src/control-plane/check-connections.ts'
import { createConnections } from '../../src/control-plane/connections.ts'
import { createSecrets, openSecretKey } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'
import { freshDatabase } from '../helpers/database.ts'

export async function houseOf(t: TestContext) {
  const database = await freshDatabase(t)
  const redactor = createRedactor()
  const key = await openSecretKey({ secretKey: 'a key that is only for tests', dataDir: database.dataDir })
  const secrets = createSecrets({ db: database.pool, key, redactor, dataDir: database.dataDir })
  const connections = createConnections({ db: database.pool, secrets, url: database.url })
  const options: CheckConnectionOptions = {
    connections,
    folder: (path) => join(database.dataDir, path),
    redact: redactor.text,
    host: 'test-host',
    signal: new AbortController().signal,
  }
  return { database, secrets, connections, options }
}

/** A server that takes connections and says nothing. */
export async function listen(t: TestContext, onCall?: () => void): Promise<number> {
  return (await openServer(t, onCall)).port
}

export async function openServer(t: TestContext, onCall: () => void = () => undefined) {
  const server = createServer(onCall)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { server, port: address.port }
}

import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../src/db/embedded/process-alive.ts'
import { startEmbedded } from '../../src/db/embedded/start.ts'

/** Where a test run hands its server down to its files: superuser's address, database `postgres`. */
const handedDown = 'ROTA_TEST_CLUSTER'

/**
 * The server of this test run, as superuser, database `postgres`: the one of ROTA_TEST_SERVER, the one that the whole run shares
 * (`node --test --test-global-setup=tests/helpers/cluster.ts`), or, for a file run alone, one of its own that ends with the process.
 */
export function testServer(): Promise<string> {
  running ??= findOrStart()
  return running
}

/** Called by Node's test runner before the first file. */
export async function globalSetup(): Promise<void> {
  if (process.env[handedDown] === undefined) process.env[handedDown] = await testServer()
}

/** Called by Node's test runner after the last file. */
export function globalTeardown(): void {
  for (const end of ends.splice(0)) end()
}

let running: Promise<string> | undefined
const ends: (() => void)[] = []

async function findOrStart(): Promise<string> {
  const given = process.env.ROTA_TEST_SERVER ?? process.env[handedDown]
  return given ?? (await startOwn())
}

async function startOwn(): Promise<string> {
  removeAbandoned()
  const dataDir = mkdtempSync(join(tmpdir(), `rota-test-${process.pid}-`))
  // the server runs as another user when we are root
  chmodSync(dataDir, 0o755)
  const noSync = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_wal_size=4GB'].flatMap((setting) => ['-c', setting])
  const server = await startEmbedded({ dataDir, flags: noSync })
  const end = () => destroy(dataDir)
  ends.push(end)
  // a file run alone has no teardown; nothing asynchronous can happen here
  process.once('exit', end)
  return server.url.replace(/rota$/, 'postgres')
}

/** Clusters and data folders of test processes that were killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^rota-test-(\d+)-/.exec(name)?.[1] ?? 0)
    if (pid === 0 || isAlive(pid)) continue
    try {
      destroy(join(tmpdir(), name))
    } catch {
      // another user's
    }
  }
}

/** Without a shutdown: nothing in it is needed any more. */
function destroy(dataDir: string): void {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
    process.kill(pid, 'SIGQUIT')
    for (let waits = 0; isAlive(pid) && waits < 500; waits += 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  } catch {
    // no server, or it is already gone
  }
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
}

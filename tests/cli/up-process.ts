import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { type RotaProcess, startRota } from './rota-process.ts'

/** A data folder of the test's own; what still runs on it afterwards is ended. */
export async function dataFolder(t: TestContext): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rota-test-up-'))
  // the server runs as another user when we are root
  await chmod(dataDir, 0o755)
  t.after(async () => {
    await (await startEmbedded({ dataDir })).stop()
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  })
  return dataDir
}

/** `rota up`, killed after the test when it still runs. */
export function startUp(t: TestContext, env: Record<string, string>): RotaProcess {
  const up = startRota(['up'], { env })
  t.after(() => up.child.kill('SIGKILL'))
  return up
}

/** The address at the end of the line that says it is ready. */
export async function addressOf(up: RotaProcess): Promise<string> {
  return (await up.until(/^Ready.* (postgres:\/\/\S+)$/m))[1] ?? ''
}

/** One statement in a session of its own. */
export async function ask<Row>(address: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: address })
  await client.connect()
  try {
    return (await client.query<Row & Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** Looks again until it is so, for a minute at most. */
export async function untilTrue(what: string, look: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await look())) {
    assert.ok(performance.now() < end, `not within a minute: ${what}`)
    await pause(200)
  }
}

/** Its exit code, within five seconds. */
export async function pressCtrlC(up: RotaProcess): Promise<number | null> {
  const pressedAt = performance.now()
  up.child.kill('SIGINT')
  const { code } = await up.ended
  const seconds = (performance.now() - pressedAt) / 1000
  assert.ok(seconds < 5, `Ctrl-C took ${seconds} s`)
  return code
}

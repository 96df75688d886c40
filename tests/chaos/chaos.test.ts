import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installQueue } from '../../src/worker/queue.ts'
import { freshDatabase } from '../helpers/database.ts'
import { weatherStorm } from './storm.ts'

test('workers killed at random lose no fire, run none twice and leave nothing open', { timeout: 180_000 }, async (t) => {
  const { url, dataDir } = await freshDatabase(t)
  await installQueue(url)
  const { counts, violations } = await weatherStorm({
    url,
    dataDir,
    seconds: 20,
    workers: 2,
    killEvery: 4,
    say: (line) => t.diagnostic(line),
  })
  t.diagnostic(JSON.stringify(counts))
  assert.deepEqual(violations, [])
})

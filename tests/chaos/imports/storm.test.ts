import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installQueue } from '../../../src/worker/queue.ts'
import { freshDatabase } from '../../helpers/database.ts'
import { workerSecrets } from '../../helpers/worker-process.ts'
import { weatherImportStorm } from './storm.ts'

test('workers and connections killed at random lose no file, load none twice and leave nothing half done', {
  timeout: 290_000,
}, async (t) => {
  const database = await freshDatabase(t)
  const { url, dataDir } = database
  await (await workerSecrets(database)).set('login.rota_job', new URL(database.urlAs('rota_job')).password)
  await installQueue(url)
  const { counts, violations } = await weatherImportStorm({
    url,
    dataDir,
    seconds: 12,
    workers: 2,
    killEvery: 4,
    sendEvery: 0.3,
    say: (line) => t.diagnostic(line),
  })
  t.diagnostic(JSON.stringify(counts))
  assert.deepEqual(violations, [])
})

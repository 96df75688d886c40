// A process of its own for tests that kill it: starts the embedded Postgres of a data folder, says how it went in one line, and waits.
import { lockDataDir } from '../../src/db/embedded/data-lock.ts'
import { startEmbedded } from '../../src/db/embedded/start.ts'

const [what, dataDir = ''] = process.argv.slice(2)
if (what === 'lock') {
  await lockDataDir(dataDir)
  console.log(JSON.stringify({ locked: true }))
} else {
  const { url, port, adopted, folder } = await startEmbedded({ dataDir, flags: ['-c', 'fsync=off'] })
  console.log(JSON.stringify({ url, port, adopted, folder }))
}
process.stdin.resume()

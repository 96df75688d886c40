// Run by `npm run schema` after a change in migrations/: writes row-types.ts and tests/db/schema.snapshot.txt from a database of its own.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { startEmbedded } from './embedded/start.ts'
import { generateTypes } from './generate-types.ts'
import { migrate } from './migrate.ts'
import { describeSchema } from './schema-snapshot.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'rota-schema-'))
// the server runs as another user when we are root
await chmod(dataDir, 0o755)
const server = await startEmbedded({ dataDir, flags: ['-c', 'fsync=off'] })
try {
  await migrate(server.url)
  await writeFrom(server.url)
} finally {
  await server.stop()
  await rm(dataDir, { recursive: true })
}

async function writeFrom(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await write('../../tests/db/schema.snapshot.txt', await describeSchema(client))
    await write('row-types.ts', await generateTypes(client))
  } finally {
    await client.end()
  }
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(new URL(file, import.meta.url), text)
  console.log(`Wrote ${file}`)
}

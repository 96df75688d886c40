import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { ServerUser } from './server-user.ts'

/**
 * The port for the next start of a cluster: the last one when nobody has taken it since, so that addresses people saved stay right;
 * else a free one from 15432 to 16431, which lies outside the range systems hand out by themselves. The answer is written down.
 */
export async function choosePort(folder: string, user: ServerUser): Promise<number> {
  const last = readPort(folder)
  const first = 15432 + Math.floor(Math.random() * 1000)
  const candidates = Array.from({ length: 1000 }, (_, step) => 15432 + ((first - 15432 + step) % 1000))
  for (const port of [...(last === null ? [] : [last]), ...candidates, 0]) {
    const free = await bindable(port)
    if (free === null) continue
    writePort(folder, free, user)
    return free
  }
  return 0
}

function readPort(folder: string): number | null {
  try {
    const port = Number.parseInt(readFileSync(join(folder, 'rota.port'), 'utf8'), 10)
    return port > 0 && port < 65536 ? port : null
  } catch {
    return null
  }
}

function writePort(folder: string, port: number, { uid, gid }: ServerUser): void {
  const file = join(folder, 'rota.port')
  writeFileSync(file, `${port}\n`)
  if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid)
}

/** The port that could be bound (the system's choice for 0), or null. */
function bindable(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const bound = address !== null && typeof address === 'object' ? address.port : null
      server.close(() => resolve(bound))
    })
  })
}

import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedServer, startEmbedded } from '../../src/db/embedded/start.ts'

export interface OwnServer {
  /** Superuser's address, database `rota`; it stays over restarts. */
  url: string
  dataDir: string
  /** Process number of the postmaster. */
  pid(): number
  stop(): Promise<void>
  start(): Promise<void>
  /** Stops it for good and removes its folder; happens at the latest when this process ends. */
  end(): Promise<void>
}

/** A server with fsync that nobody else uses, in a temporary folder: for what stops and starts servers, and for figures. */
export async function startOwnServer(): Promise<OwnServer> {
  const dataDir = mkdtempSync(join(tmpdir(), `rota-test-${process.pid}-`))
  // the server runs as another user when we are root
  chmodSync(dataDir, 0o755)
  let server: EmbeddedServer = await startEmbedded({ dataDir })
  const { url, folder } = server
  const pid = (): number => Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0])
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
  const abandon = (): void => {
    try {
      process.kill(pid(), 'SIGQUIT')
    } catch {
      // it does not run
    }
    remove()
  }
  const interrupt = (): never => process.exit(130)
  process.once('exit', abandon)
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  return {
    url,
    dataDir,
    pid,
    stop: () => server.stop(),
    async start() {
      server = await startEmbedded({ dataDir })
      if (server.url !== url) throw new Error(`the server came back as ${server.port}, since somebody took its port`)
    },
    async end() {
      process.off('exit', abandon)
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', interrupt)
      await server.stop()
      remove()
    },
  }
}

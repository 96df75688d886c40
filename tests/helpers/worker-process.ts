import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Pool } from 'pg'
import { createSecrets, openSecretKey, type Secrets } from '../../src/control-plane/secrets.ts'
import { createRedactor } from '../../systemscripts/redact.ts'

export interface WorkerProcess {
  /** Its name in dba.worker. */
  name: string
  process: ChildProcess
  /** Its last lines, for when it ends and nobody asked it to. */
  lastLines: string[]
  /** Resolves with the exit code or the signal, once it is gone. */
  ended: Promise<number | NodeJS.Signals>
}

export interface WorkerProcessOptions {
  url: string
  dataDir: string
  /** Default: `default`. */
  lanes?: string
  /** Default: 10. */
  concurrency?: number
}

const secretKey = 'a key for tests that is long enough to be taken'
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** `rota worker` in a process of its own; resolves once it has registered. The caller ends it. */
export async function startWorkerProcess({
  url,
  dataDir,
  lanes = 'default',
  concurrency = 10,
}: WorkerProcessOptions): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [main, 'worker'], {
    env: {
      ...process.env,
      DATABASE_URL: url,
      ROTA_DATA_DIR: dataDir,
      ROTA_SECRET_KEY: secretKey,
      ROTA_LANES: lanes,
      ROTA_CONCURRENCY: String(concurrency),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lastLines: string[] = []
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => endOf(code, signal))
  const name = await new Promise<string>((resolve, reject) => {
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        lastLines.push(line)
        if (lastLines.length > 50) lastLines.shift()
        const found = /^Worker (\S+) takes runs/.exec(line)?.[1]
        if (found !== undefined) resolve(found)
      })
    }
    ended.then((how) => reject(new Error(`the worker ended at its start (${how}):\n${lastLines.join('\n')}`)), reject)
  })
  return { name, process: child, lastLines, ended }
}

/** The secrets of a database as those workers read them. @param pool acts as rota_worker */
export async function workerSecrets({ pool, dataDir }: { pool: Pool; dataDir: string }): Promise<Secrets> {
  return createSecrets({ db: pool, key: await openSecretKey({ secretKey, dataDir }), redactor: createRedactor(), dataDir })
}

function endOf(code: unknown, signal: unknown): number | NodeJS.Signals {
  if (typeof code === 'number') return code
  return signal === 'SIGKILL' || signal === 'SIGTERM' ? signal : 'SIGABRT'
}

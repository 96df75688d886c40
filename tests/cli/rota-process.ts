import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../src/cli/rota', import.meta.url))

export interface Ended {
  /** Exit code; null when a signal ended it. */
  code: number | null
  out: string
  err: string
}

export interface RotaProcess {
  child: ChildProcess
  /** What it printed so far, to both. */
  said(): string
  /** Resolves when it has printed what is looked for; rejects when it ends, or after a minute. */
  until(pattern: RegExp): Promise<RegExpMatchArray>
  ended: Promise<Ended>
}

export interface RotaOptions {
  env: Record<string, string>
  /** Piped into it. Default: nothing. */
  input?: string
}

/** Runs the real command to its end. */
export async function rota(words: string[], options: RotaOptions): Promise<Ended> {
  return startRota(words, options).ended
}

/** Starts the real command as a process of its own, with an environment that holds nothing of ours but what is given. */
export function startRota(words: string[], { env, input = '' }: RotaOptions): RotaProcess {
  const child = spawn(command, words, { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  const listeners = new Set<() => void>()
  const hear = (take: (text: string) => void) => (part: string) => {
    take(part)
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on(
    'data',
    hear((part) => (out += part)),
  )
  child.stderr.setEncoding('utf8').on(
    'data',
    hear((part) => (err += part)),
  )
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
  return {
    child,
    said: () => out + err,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(
          () => finish(() => reject(new Error(`"${words.join(' ')}" did not say ${pattern} within a minute, but:\n${out}${err}`))),
          60_000,
        )
        const finish = (settle: () => void) => {
          clearTimeout(limit)
          listeners.delete(listen)
          settle()
        }
        const listen = () => {
          const found = (out + err).match(pattern)
          if (found !== null) finish(() => resolve(found))
        }
        listeners.add(listen)
        listen()
        ended.then(({ code }) =>
          finish(() => reject(new Error(`"${words.join(' ')}" ended with ${code} before it said ${pattern}:\n${out}${err}`))),
        )
      }),
    ended,
  }
}

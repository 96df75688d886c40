/** Worker processes that are killed at random and replaced. */
import { setTimeout as pause } from 'node:timers/promises'
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from '../helpers/worker-process.ts'

export interface Kill {
  /** Name in dba.worker. */
  worker: string
  at: Date
}

export interface Fleet {
  kills: Kill[]
  /** Workers that ended although nobody had killed them, in words. */
  violations: string[]
  /** Kills one worker, every fourth time politely (SIGTERM), and starts another. */
  killOne(): Promise<void>
  /** Kills every so often until `signal`. @param killEvery mean seconds between two kills */
  killAtRandom(killEvery: number, signal: AbortSignal): Promise<void>
  /** Lets all workers finish what they do, for 40 s at most. */
  end(): Promise<void>
}

interface Member {
  current: WorkerProcess
  isDoomed: boolean
}

/** Of the kills, one in so many is a SIGTERM: its worker hands back what goes on. */
const politeEvery = 4

export async function startFleet(options: WorkerProcessOptions, workers: number): Promise<Fleet> {
  const kills: Kill[] = []
  const violations: string[] = []
  const members = new Set<Member>()
  await Promise.all(Array.from({ length: workers }, join))
  return { kills, violations, killOne, killAtRandom, end }

  async function join(): Promise<void> {
    const member: Member = { current: await startAgainAndAgain(options), isDoomed: false }
    members.add(member)
    void member.current.ended.then((how) => {
      members.delete(member)
      if (member.isDoomed) return
      violations.push(`a worker lives until it is killed: ${member.current.name} ended with ${how}\n${member.current.lastLines.join('\n')}`)
    })
  }

  async function killOne(): Promise<void> {
    const living = [...members].filter((member) => !member.isDoomed)
    const victim = living[Math.floor(Math.random() * living.length)]
    if (victim === undefined) return
    victim.isDoomed = true
    const isPolite = (kills.length + 1) % politeEvery === 0
    kills.push({ worker: victim.current.name, at: new Date() })
    victim.current.process.kill(isPolite ? 'SIGTERM' : 'SIGKILL')
    if (!isPolite) await victim.current.ended
    await join()
  }

  async function killAtRandom(killEvery: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(killEvery * 1000 * (0.3 + 1.4 * Math.random()), undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await killOne()
    }
  }

  async function end(): Promise<void> {
    await Promise.all(
      [...members].map(async (member) => {
        member.isDoomed = true
        member.current.process.kill('SIGTERM')
        await Promise.race([member.current.ended, pause(40_000, undefined, { ref: false })])
        member.current.process.kill('SIGKILL')
      }),
    )
  }
}

/** As a service manager does: one that finds no Postgres at its start is started again. */
async function startAgainAndAgain(options: WorkerProcessOptions): Promise<WorkerProcess> {
  for (let tries = 1; ; tries++) {
    try {
      return await startWorkerProcess(options)
    } catch (error) {
      if (tries === 20 || !/CODE: +(cannot_connect_now|connection_\w+|server_\w+|admin_shutdown|crash_shutdown)/.test(String(error)))
        throw error
      await pause(500)
    }
  }
}

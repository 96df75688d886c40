/** Says by mail that Postgres is away, by a mail server that the environment names: then nothing else can be said. */
import { randomUUID } from 'node:crypto'
import { readFile, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { composeMail } from '../../systemscripts/outgoing-mail/compose-mail.ts'
import { openMailRoute } from '../../systemscripts/outgoing-mail.ts'
import type { LastResortMail } from '../config.ts'
import { isProcessAlive } from './machine.ts'

export interface LastResort {
  stop(): Promise<void>
}

export interface LastResortDeps {
  mail: LastResortMail
  /** Shared by the workers of a machine: one of them writes. */
  dataDir: string
  /** Resolves while the database answers. */
  probe(): Promise<unknown>
  /** What the database is called, without a password. */
  place: string
  say(level: 'info' | 'warning' | 'error', message: string, error?: unknown): void
  /** Default: 10 s between two looks, away for 60 s. For tests. */
  pace?: { lookMs: number; patienceMs: number }
}

/** Who saw it go, and whether that was told. */
interface Absence {
  since: string
  /** Of one watcher. */
  writer: string
  pid: number
  isTold: boolean
}

const PACE = { lookMs: 10_000, patienceMs: 60_000 }
const LONGEST_PROBE_MS = 10_000

/** One mail when the database has been away for a minute, one when it is back; of the workers of a data folder one writes them. */
export function startLastResort(deps: LastResortDeps): LastResort {
  const { lookMs, patienceMs } = deps.pace ?? PACE
  const note = join(deps.dataDir, 'database-away.json')
  const writer = randomUUID()
  let awaySince: number | undefined
  let looking: Promise<void> | undefined
  const timer = setInterval(() => {
    looking ??= look()
      .catch((error: unknown) => deps.say('warning', 'The last-resort mail could not be sent; it is tried again', error))
      .finally(() => {
        looking = undefined
      })
  }, lookMs)
  return {
    async stop() {
      clearInterval(timer)
      await looking
    },
  }

  async function look(): Promise<void> {
    const failure = await probe()
    if (failure === null) {
      awaySince = undefined
      return tellReturn()
    }
    awaySince ??= Date.now()
    if (Date.now() - awaySince >= patienceMs) await tellAbsence(awaySince, failure)
  }

  async function probe(): Promise<string | null> {
    let timeout: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timeout = setTimeout(() => resolve('No answer within 10 seconds.'), LONGEST_PROBE_MS)
    })
    const answer = deps.probe().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    return Promise.race([answer, late]).finally(() => clearTimeout(timeout))
  }

  async function tellAbsence(since: number, failure: string): Promise<void> {
    const mine: Absence = { since: new Date(since).toISOString(), writer, pid: process.pid, isTold: false }
    const isFirst = await writeFile(note, JSON.stringify(mine), { flag: 'wx' }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        // A folder that cannot be written to keeps nobody from writing a mail.
        if (error.code === 'EEXIST') return false
        return true
      },
    )
    const absence = isFirst ? mine : await readAbsence(note)
    if (absence === null || absence.isTold || (absence.writer !== writer && isProcessAlive(absence.pid))) return
    await send(`the database is away: ${deps.place}`, [
      `Postgres at ${deps.place} has not answered since ${mine.since}: ${failure}`,
      'Nothing runs until it is back: fires that are missed are caught up as each schedule says. Other alerts cannot be sent now.',
      `Look at the server first. This was seen from ${hostname()}.`,
    ])
    await writeFile(note, JSON.stringify({ ...absence, writer, pid: process.pid, isTold: true } satisfies Absence))
    deps.say('warning', 'The database is away; the last-resort mail was sent')
  }

  async function tellReturn(): Promise<void> {
    const absence = await readAbsence(note)
    if (absence === null) return
    if (!(await remove(note))) return
    if (absence.isTold) {
      await send(`the database is back: ${deps.place}`, [
        `Postgres at ${deps.place} answers again, seen from ${hostname()}. It had been away since ${absence.since}.`,
        'What was missed: select * from dba.problem;',
      ])
    }
  }

  async function send(subject: string, lines: string[]): Promise<void> {
    const { to, sender, server } = deps.mail
    const mail = await composeMail({ sender, to, subject: `[Rota] ${subject}`, html: null, text: lines.join('\n\n') })
    const route = openMailRoute({ kind: 'smtp', ...server })
    try {
      const pieces: Buffer[] = []
      for await (const piece of mail.content()) pieces.push(piece)
      const bytes = Buffer.concat(pieces)
      const delivery = await route.send(
        {
          sender: mail.sender,
          recipients: mail.recipients.map(({ address }) => address),
          messageId: mail.messageId,
          subject: mail.subject,
          date: mail.date,
          sizeBytes: bytes.length,
          round: 1,
        },
        async function* () {
          yield bytes
        },
      )
      if (delivery.error !== null && delivery.state !== 'unknown') throw delivery.error
    } finally {
      await route.close()
    }
  }
}

async function readAbsence(path: string): Promise<Absence | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof value !== 'object' || value === null) return null
    const { since, writer, pid, isTold } = { since: null, writer: null, pid: null, isTold: null, ...value }
    return typeof since === 'string' && typeof writer === 'string' && typeof pid === 'number' && typeof isTold === 'boolean'
      ? { since, writer, pid, isTold }
      : null
  } catch {
    return null
  }
}

/** True for one of several who try at once; `rm` would say so to each. */
async function remove(path: string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    () => false,
  )
}

/**
 * Waits for files and notifications. One process per lane does it: the holder of a lock that lives as long as its listening connection. A
 * notification that comes while nobody listens is lost, as LISTEN has it; a file is not.
 */
import { randomUUID } from 'node:crypto'
import { isAbsolute, join } from 'node:path'
import type { Pool } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'
import { createSettleWatch, type FoundFile, listMatchingFiles, type SettleWatch } from '../../systemscripts/settled-files.ts'
import { fireForFile, fireForNotification, readWatchedSchedules, type WatchedSchedule } from '../control-plane/outside-fires.ts'
import type { Listener } from './listen.ts'

export interface Watch {
  /** Schedules may have changed. */
  refresh(): void
  /** The listening connection came back: its locks are gone. */
  reconnected(): void
  notified(channel: string, payload: string): void
  stop(): Promise<void>
}

interface WatchDeps {
  control: Pool
  listener: Listener
  lanes: string[]
  dataDir: string
  /** False: it waits for nothing, and leaves its lanes to others. */
  mayFire(): boolean
  /** A run was made. */
  onFire(): void
  say(level: 'info' | 'warning' | 'error', message: string, error?: unknown): void
}

const lookMs = 1000
const refreshMs = 30_000
const lockMs = 5000
/** A folder that answers slower than this, a network drive that is away, is not waited for; the others are looked at. */
const patienceMs = 2000

interface WatchedGlob {
  schedule: WatchedSchedule
  folder: string
  pattern: string
  settle: SettleWatch
  /** Keys of files that stand there and have made their run. */
  fired: Set<string>
  isLooking: boolean
  /** So that what goes on failing is said once. */
  isFailing: boolean
}

export function startWatch({ control, listener, lanes, dataDir, mayFire, onFire, say }: WatchDeps): Watch {
  let schedules: WatchedSchedule[] = []
  let globs = new Map<string, WatchedGlob>()
  let held = new Set<string>()
  let readAt = Number.NEGATIVE_INFINITY
  let lockedAt = Number.NEGATIVE_INFINITY
  let isStopped = false
  let looking: Promise<void> = Promise.resolve()
  let firing: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let isFailing = false

  async function look(): Promise<void> {
    const now = performance.now()
    if (!mayFire()) return await rest()
    if (now - readAt > refreshMs) {
      readAt = now
      await read()
    }
    if (schedules.length === 0) return
    if (now - lockedAt > lockMs) {
      lockedAt = now
      await takeLanes()
    }
    const looks = [...globs.values()].filter((glob) => held.has(glob.schedule.lane) && !glob.isLooking).map(lookAtOne)
    await Promise.race([Promise.all(looks), new Promise((resolve) => setTimeout(resolve, patienceMs).unref())])
  }

  async function rest(): Promise<void> {
    readAt = Number.NEGATIVE_INFINITY
    schedules = []
    globs = new Map()
    listenToHeld()
    for (const lane of held) {
      await listener.query(`select pg_advisory_unlock(hashtext('rota.watch.' || $1))`, [lane])
      held.delete(lane)
    }
  }

  async function lookAtOne(glob: WatchedGlob): Promise<void> {
    glob.isLooking = true
    try {
      await lookAt(glob)
      glob.isFailing = false
    } catch (error) {
      if (!glob.isFailing && !isStopped) say('warning', `Files ${glob.schedule.onFile} cannot be waited for; it is tried again`, error)
      glob.isFailing = true
    } finally {
      glob.isLooking = false
    }
  }

  async function read(): Promise<void> {
    schedules = await readWatchedSchedules(control, lanes)
    const before = globs
    globs = new Map()
    for (const schedule of schedules) {
      if (schedule.onFile === null) continue
      const key = `${schedule.scheduleId} ${schedule.onFile} ${schedule.settleSeconds}`
      globs.set(key, before.get(key) ?? watchedGlob(schedule, schedule.onFile, dataDir))
    }
    listenToHeld()
    lockedAt = Number.NEGATIVE_INFINITY
  }

  async function takeLanes(): Promise<void> {
    for (const lane of new Set(schedules.map((schedule) => schedule.lane))) {
      if (held.has(lane)) continue
      const [row] = await listener.query(`select pg_try_advisory_lock(hashtext('rota.watch.' || $1)) as mine`, [lane])
      if (row?.mine === true) held.add(lane)
    }
    listenToHeld()
  }

  function listenToHeld(): void {
    listener.setChannels(
      schedules.flatMap((schedule) => (schedule.onNotify !== null && held.has(schedule.lane) ? [schedule.onNotify] : [])),
    )
  }

  async function lookAt(glob: WatchedGlob): Promise<void> {
    const found = await list(glob)
    const settled = await glob.settle.look(found, Date.now())
    const present = new Set(found.map(keyOf))
    for (const key of glob.fired) if (!present.has(key)) glob.fired.delete(key)
    for (const file of settled) {
      const key = keyOf(file)
      if (glob.fired.has(key)) continue
      if (await fireForFile(control, glob.schedule.scheduleId, key, file.path)) onFire()
      glob.fired.add(key)
    }
  }

  function tick(): void {
    looking = look()
      .then(() => {
        isFailing = false
      })
      .catch((error: unknown) => {
        if (!isFailing) say('warning', 'Waiting for files failed and is tried again', error)
        isFailing = true
      })
      .finally(() => {
        if (!isStopped) timer = setTimeout(tick, lookMs)
      })
  }

  tick()
  return {
    refresh() {
      readAt = Number.NEGATIVE_INFINITY
    },
    reconnected() {
      held = new Set()
      lockedAt = Number.NEGATIVE_INFINITY
      // Before the first connect, and while it was away, nobody heard that a schedule was written.
      readAt = Number.NEGATIVE_INFINITY
    },
    notified(channel, payload) {
      const fired = schedules.filter((schedule) => schedule.onNotify === channel && held.has(schedule.lane))
      if (fired.length === 0) return
      const scheduleIds = fired.map((schedule) => schedule.scheduleId)
      // One after another, so that their runs keep the order in which they came.
      firing = firing
        .then(() => fireForNotification(control, scheduleIds, randomUUID(), payload))
        .then(onFire)
        .catch((error: unknown) => say('error', `A notification of channel ${channel} made no run`, error))
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await looking
      await firing
      clearTimeout(timer)
    },
  }
}

/** A folder that is not there yet is an empty one; the row's config_message says so. */
async function list({ folder, pattern }: WatchedGlob): Promise<FoundFile[]> {
  try {
    return await listMatchingFiles(folder, { pattern, recurse: pattern.includes('/') })
  } catch (error) {
    if (error instanceof JobError && error.code === 'folder_missing') return []
    throw error
  }
}

function keyOf(file: FoundFile): string {
  return `${file.path} ${file.identity} ${file.sizeBytes} ${file.modifiedAt.getTime()}`
}

/** Splits a glob into the folder that it names plainly and the pattern below it. */
export function splitGlob(glob: string, dataDir: string): { folder: string; pattern: string } {
  const parts = (isAbsolute(glob) ? glob : join(dataDir, glob)).split('/')
  const first = parts.findIndex((part, index) => index === parts.length - 1 || /[*?[{\\]/.test(part))
  return { folder: parts.slice(0, first).join('/') || '/', pattern: parts.slice(first).join('/') }
}

function watchedGlob(schedule: WatchedSchedule, glob: string, dataDir: string): WatchedGlob {
  return {
    schedule,
    ...splitGlob(glob, dataDir),
    settle: createSettleWatch({ settleSeconds: schedule.settleSeconds }),
    fired: new Set(),
    isLooking: false,
    isFailing: false,
  }
}

/**
 * Waits for files and notifications. One process per lane does it: the holder of a lock that lives as long as its listening connection. A
 * notification that comes while nobody listens is lost, as LISTEN has it; a file is not.
 */
import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import { fireForNotification, readWatchedSchedules, type WatchedSchedule } from '../control-plane/outside-fires.ts'
import type { Listener } from './listen.ts'
import { type WatchedGlob, watchGlob } from './watched-glob.ts'

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
    const looks = [...globs.values()].filter((glob) => held.has(glob.schedule.lane)).map((glob) => glob.look())
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

  async function read(): Promise<void> {
    schedules = await readWatchedSchedules(control, lanes)
    const before = globs
    globs = new Map()
    for (const schedule of schedules) {
      if (schedule.onFile === null) continue
      const key = `${schedule.scheduleId} ${schedule.onFile} ${schedule.settleSeconds}`
      globs.set(key, before.get(key) ?? watchGlob(schedule, schedule.onFile, { control, dataDir, onFire, onTrouble }))
    }
    listenToHeld()
    lockedAt = Number.NEGATIVE_INFINITY
  }

  function onTrouble(glob: string, error: unknown): void {
    if (!isStopped) say('warning', `Files ${glob} cannot be waited for; it is tried again`, error)
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

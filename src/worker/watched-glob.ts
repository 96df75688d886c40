/** Files that a schedule waits for: each makes one run, once it has stopped changing. */
import { isAbsolute, join } from 'node:path'
import type { Pool } from 'pg'
import { JobError } from '../../systemscripts/errors.ts'
import { createSettleWatch, type FoundFile, listMatchingFiles } from '../../systemscripts/settled-files.ts'
import { fireForFile, type WatchedSchedule } from '../control-plane/outside-fires.ts'

export interface WatchedGlob {
  schedule: WatchedSchedule
  /** Looks once; does nothing while a former look goes on. Never throws. */
  look(): Promise<void>
}

interface WatchedGlobDeps {
  control: Pool
  dataDir: string
  /** A run was made. */
  onFire(): void
  /** Told once for what goes on failing. */
  onTrouble(glob: string, error: unknown): void
}

export function watchGlob(schedule: WatchedSchedule, glob: string, { control, dataDir, onFire, onTrouble }: WatchedGlobDeps): WatchedGlob {
  const place = splitGlob(glob, dataDir)
  const settle = createSettleWatch({ settleSeconds: schedule.settleSeconds })
  /** Keys of files that stand there and have made their run. */
  const fired = new Set<string>()
  let isLooking = false
  let isFailing = false

  async function fireSettled(): Promise<void> {
    const found = await list(place)
    const settled = await settle.look(found, Date.now())
    const present = new Set(found.map(keyOf))
    for (const key of fired) if (!present.has(key)) fired.delete(key)
    for (const file of settled) {
      const key = keyOf(file)
      if (fired.has(key)) continue
      if (await fireForFile(control, schedule.scheduleId, key, file.path)) onFire()
      fired.add(key)
    }
  }

  return {
    schedule,
    async look() {
      if (isLooking) return
      isLooking = true
      try {
        await fireSettled()
        isFailing = false
      } catch (error) {
        if (!isFailing) onTrouble(glob, error)
        isFailing = true
      } finally {
        isLooking = false
      }
    },
  }
}

/** Splits a glob into the folder that it names plainly and the pattern below it. */
export function splitGlob(glob: string, dataDir: string): { folder: string; pattern: string } {
  const parts = (isAbsolute(glob) ? glob : join(dataDir, glob)).split('/')
  const first = parts.findIndex((part, index) => index === parts.length - 1 || /[*?[{\\]/.test(part))
  return { folder: parts.slice(0, first).join('/') || '/', pattern: parts.slice(first).join('/') }
}

/** A folder that is not there yet is an empty one; the row's config_message says so. */
async function list({ folder, pattern }: { folder: string; pattern: string }): Promise<FoundFile[]> {
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

import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface SmallDisk {
  /** From now on nothing can be written to it, or again. */
  setReadOnly(isReadOnly: boolean): Promise<void>
}

/**
 * A file system of its own at this folder, in memory, gone after the test. Null, and the test is skipped, where this machine allows none: that
 * takes Linux and root.
 *
 * @param size as mount takes it: `64k`, `2m`
 */
export async function mountSmallDisk(t: TestContext, folder: string, size: string): Promise<SmallDisk | null> {
  await mkdir(folder, { recursive: true })
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'tmpfs', folder])
  } catch {
    t.skip('a file system can be mounted by root on Linux only')
    return null
  }
  t.after(async () => void (await run('umount', ['-l', folder])))
  return {
    async setReadOnly(isReadOnly) {
      await run('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, folder])
    },
  }
}

import { mkdir, realpath } from 'node:fs/promises'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { isHeld, isTaken, type KernelLock, tryLock } from './kernel-lock.ts'

/**
 * Makes this process the one `rota up` of a data folder, until it ends or releases. The folder is created when missing.
 *
 * @throws PermanentError `already_running` when another process of this machine has it.
 */
export async function lockDataDir(dataDir: string): Promise<KernelLock> {
  await mkdir(dataDir, { recursive: true })
  const lock = await tryLock(await nameOf(dataDir))
  if (isHeld(lock)) return lock
  throw new PermanentError('already_running', `Rota already runs on the data folder "${dataDir}"`, {
    detail: lock.holderPid === null ? 'Another process holds the folder.' : `Process ${lock.holderPid} holds the folder ${dataDir}.`,
    hint: 'Add a worker to it with "npx rota worker", look at it with "npx rota status", or set ROTA_DATA_DIR to another folder.',
  })
}

/** Whether a `rota up` of this machine has the data folder; false for a folder that is missing. */
export async function isUp(dataDir: string): Promise<boolean> {
  const name = await nameOf(dataDir).catch(() => null)
  return name !== null && (await isTaken(name))
}

async function nameOf(dataDir: string): Promise<string> {
  return `up ${await realpath(dataDir)}`
}

import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PermanentError } from '../errors.ts'

export interface KeptFile {
  path: string
  remove(): Promise<void>
}

/**
 * Bytes as a file in the system's temporary folder, readable by this process only, until `remove`. On Linux the file has no name any more once
 * it is written and is reached through /proc: so nothing is left behind, even when the thread or the process that made it is killed.
 */
export async function keptFile(
  bytes: AsyncIterable<Buffer>,
  maxBytes: number,
  tooLarge: (detail: string) => PermanentError,
): Promise<KeptFile> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-'))
  const path = join(folder, 'member')
  const file = await open(path, 'wx+', 0o600)
  const isNameless = process.platform === 'linux'
  if (isNameless) await rm(folder, { recursive: true })
  const remove = async (): Promise<void> => {
    await file.close()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    let length = 0
    for await (const piece of bytes) {
      length += piece.length
      if (length > maxBytes) throw tooLarge(`Unpacked it has more than ${maxBytes} bytes, the most allowed.`)
      await file.writeFile(piece)
    }
    return { path: isNameless ? `/proc/self/fd/${file.fd}` : path, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

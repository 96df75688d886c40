import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

export interface FileHash {
  /** 64 lower-case hex digits. */
  sha256: string
  sizeBytes: number
}

/** SHA-256 of a file's bytes, and how many they were. Memory does not grow with the file. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<FileHash> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    signal?.throwIfAborted()
    hash.update(chunk)
    sizeBytes += chunk.length
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}

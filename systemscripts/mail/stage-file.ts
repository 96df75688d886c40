import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { PermanentError } from '../errors.ts'
import { moveFile } from '../move-file.ts'
import { safeFileName } from './file-name.ts'

/** A file that lies in its folder under a hidden name, until it is given its own. */
export interface StagedFile {
  path: string
  sizeBytes: number
  /** 64 lower-case hex digits. */
  sha256: string
  /** Gives it a free name in its folder, after `name`; see safeFileName. @returns its path */
  publish(name: string): Promise<string>
  /** Removes it. May be called twice, and after `publish`, when it does nothing. */
  discard(): Promise<void>
}

/**
 * Writes a stream into a folder, which is made when missing, under a hidden name that no import looks at; on the disk when this returns. So its
 * bytes can be judged before anybody sees the file, and a crash leaves nothing that looks whole.
 *
 * @param options.maxBytes more are refused while they come
 * @throws PermanentError `attachment_too_large`; the signal's reason when aborted. Nothing stays then.
 */
export async function stageFile(
  content: AsyncIterable<Buffer>,
  folder: string,
  options: { maxBytes?: number | null; signal?: AbortSignal } = {},
): Promise<StagedFile> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, `.${randomUUID()}.part`)
  const discard = async (): Promise<void> => unlink(path).catch(ignoreMissing)
  try {
    const { sizeBytes, sha256 } = await write(content, path, options)
    return { path, sizeBytes, sha256, discard, publish: (name) => moveFile(path, folder, { name: safeFileName(name) }) }
  } catch (error) {
    await discard()
    throw error
  }
}

async function write(
  content: AsyncIterable<Buffer>,
  path: string,
  { maxBytes, signal }: { maxBytes?: number | null; signal?: AbortSignal },
): Promise<{ sizeBytes: number; sha256: string }> {
  const file = await open(path, 'wx', 0o660)
  const hash = createHash('sha256')
  let sizeBytes = 0
  try {
    for await (const piece of content) {
      signal?.throwIfAborted()
      sizeBytes += piece.length
      if (maxBytes != null && sizeBytes > maxBytes) throw tooLarge(maxBytes)
      hash.update(piece)
      await file.writeFile(piece)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { sizeBytes, sha256: hash.digest('hex') }
}

function tooLarge(maxBytes: number): PermanentError {
  return new PermanentError('attachment_too_large', `An attachment has more than the ${maxBytes} bytes allowed`, {
    detail: 'It was given up while it came; nothing of it is kept.',
    hint: 'Raise max_size_bytes in dba.inboxconfig, or ask the sender for a smaller file.',
  })
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}

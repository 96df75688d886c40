import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PermanentError } from '../errors.ts'
import { moveFile } from '../move-file.ts'
import { safeFileName } from '../safe-file-name.ts'

/** A file that lies in its folder under a hidden name, until it is given its own. */
export interface StagedFile {
  path: string
  sizeBytes: number
  /** 64 lower-case hex digits. */
  sha256: string
  /** Its first 64 bytes. */
  beginning: Buffer
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
  const path = join(folder, `.${randomUUID()}.part`)
  const discard = async (): Promise<void> => unlink(path).catch(ignoreMissing)
  try {
    const written = await write(content, path, options)
    return { path, ...written, discard, publish: (name) => moveFile(path, folder, { name: safeFileName(name) }) }
  } catch (error) {
    await discard()
    throw error
  }
}

async function write(
  content: AsyncIterable<Buffer>,
  path: string,
  { maxBytes, signal }: { maxBytes?: number | null; signal?: AbortSignal },
): Promise<Pick<StagedFile, 'sizeBytes' | 'sha256' | 'beginning'>> {
  const file = await openNew(path)
  const hash = createHash('sha256')
  let sizeBytes = 0
  let beginning: Buffer = Buffer.alloc(0)
  try {
    for await (const piece of content) {
      signal?.throwIfAborted()
      sizeBytes += piece.length
      if (maxBytes != null && sizeBytes > maxBytes) throw tooLarge(maxBytes)
      if (beginning.length < 64) beginning = Buffer.concat([beginning, piece.subarray(0, 64 - beginning.length)])
      hash.update(piece)
      await file.writeFile(piece)
    }
    await file.datasync()
  } finally {
    await file.close()
  }
  return { sizeBytes, sha256: hash.digest('hex'), beginning }
}

/** The folder is made when it turns out to be missing: it seldom is. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o660)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  await mkdir(dirname(path), { recursive: true })
  return await open(path, 'wx', 0o660)
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

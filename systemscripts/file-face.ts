import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { JobError } from './errors.ts'

/** What a file is known by without being read: file system, number, size and time of the last change. Null: no plain file is there. */
export async function faceAt(path: string): Promise<string | null> {
  const stats = await lstat(path).catch(() => null)
  return stats?.isFile() ? faceOf(stats) : null
}

export function faceOf({ dev, ino, size, mtimeMs }: Stats): string {
  return `${dev}:${ino} ${size} ${mtimeMs}`
}

/** Another file has taken the name, or it was written to, while it was being dealt with. */
export function fileChanged(name: string, cause?: unknown): JobError {
  return new JobError('file_changed', `File "${name}" was changed while it was being dealt with`, {
    detail: 'It was written to, or another file has taken its name.',
    hint: 'Nothing to do: it is taken anew when it has settled. Senders do best to write under another name and to rename when they are done.',
    cause,
  })
}

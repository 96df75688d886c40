import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Paths of all files below a folder, hidden ones too; none where it is missing. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

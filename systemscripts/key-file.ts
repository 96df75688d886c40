import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { JobError } from './errors.ts'

/**
 * The text of a key file, 32 random bytes in base64. Made on first use, readable by its owner only; two processes that come first at
 * once agree on one key.
 *
 * @throws JobError `key_file_unusable`
 */
export async function ensureKeyFile(path: string): Promise<string> {
  try {
    return (await readKey(path)) ?? (await makeKey(path))
  } catch (cause) {
    if (cause instanceof JobError) throw cause
    throw new JobError('key_file_unusable', `Key file "${path}" can be neither read nor made`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Give the user that Rota runs as the right to its data folder (ROTA_DATA_DIR), or set ROTA_SECRET_KEY.',
      cause,
    })
  }
}

async function readKey(path: string): Promise<string | null> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    if (text !== '') return text
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
  throw new JobError('key_file_unusable', `Key file "${path}" is empty`, {
    hint: 'Put the key back from your backup; only when no secret was ever set, delete the file and start again.',
  })
}

/** A link to a complete file appears whole or not at all, and fails when the name is taken. */
async function makeKey(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const key = randomBytes(32).toString('base64')
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeDurably(draft, key)
  try {
    await link(draft, path)
    return key
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return (await readKey(path)) ?? key
    // file systems without hard links
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK'].includes(codeOf(error))) throw error
    await writeDurably(path, key)
    return key
  } finally {
    await unlink(draft)
  }
}

async function writeDurably(path: string, key: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${key}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PermanentError } from '../../../systemscripts/errors.ts'
import type { Binaries } from './binaries.ts'
import { plainEnvironment } from './plain-environment.ts'
import { isAlive } from './process-alive.ts'
import type { ServerUser } from './server-user.ts'

/** Written into postgresql.conf, where a person may tune them; ALTER SYSTEM wins over them too. */
const settings = [
  'max_connections=200',
  'shared_buffers=128MB',
  'timezone=UTC',
  'log_timezone=UTC',
  'log_checkpoints=off',
  'cluster_name=rota',
]

/**
 * Makes an empty cluster with superuser `postgres` and a random password, which lies in it as `rota.password`, readable by the
 * server's user only. Appears in one rename: a kill in the middle leaves a draft that the next call removes, never half a cluster.
 *
 * @throws PermanentError `embedded_create_failed` with what initdb said.
 */
export function createCluster(folder: string, user: ServerUser, binaries: Binaries): void {
  removeDrafts(folder)
  const draft = `${folder}.draft-${process.pid}`
  mkdirSync(dirname(folder), { recursive: true })
  mkdirSync(draft, { mode: 0o700 })
  try {
    giveTo(user, draft)
    initialise(draft, user, binaries)
    renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** @throws PermanentError `embedded_password_missing` */
export function passwordOf(folder: string): string {
  try {
    return readFileSync(join(folder, passwordFile), 'utf8').trim()
  } catch (cause) {
    throw new PermanentError('embedded_password_missing', `The password of the embedded Postgres in "${folder}" cannot be read`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: `Run Rota as the user that made the folder, or put the file ${passwordFile} back from a copy of it.`,
      cause,
    })
  }
}

const passwordFile = 'rota.password'

function initialise(draft: string, user: ServerUser, binaries: Binaries): void {
  const password = randomBytes(24).toString('base64url')
  // initdb wants an empty folder, so the password reaches it from beside
  const handed = `${draft}.password`
  const args = ['-D', draft, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${handed}`, '-E', 'UTF8']
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  try {
    writePrivate(handed, `${password}\n`, user)
    const done = spawnSync(binaries.initdb, [...args, ...locale, ...settings.flatMap((setting) => ['-c', setting])], {
      ...user,
      cwd: '/',
      encoding: 'utf8',
      env: plainEnvironment(),
      windowsHide: true,
    })
    if (done.status !== 0) throw creationFailed(draft, done.error?.message ?? (done.stderr || done.stdout))
    writePrivate(join(draft, passwordFile), `${password}\n`, user)
  } finally {
    rmSync(handed, { force: true })
  }
}

function writePrivate(file: string, text: string, user: ServerUser): void {
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  giveTo(user, file)
}

function giveTo({ uid, gid }: ServerUser, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

/** Drafts of processes that were killed while at it. */
function removeDrafts(folder: string): void {
  const beginning = `${basename(folder)}.draft-`
  for (const name of readOrEmpty(dirname(folder))) {
    if (!name.startsWith(beginning)) continue
    const pid = Number.parseInt(name.slice(beginning.length), 10)
    if (pid === process.pid || !isAlive(pid)) rmSync(join(dirname(folder), name), { recursive: true, force: true })
  }
}

function readOrEmpty(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function creationFailed(draft: string, said: string): PermanentError {
  return new PermanentError('embedded_create_failed', `The embedded Postgres could not be created in "${dirname(draft)}"`, {
    detail: said.trim(),
    hint: 'Free space or rights on that folder are the usual causes; else set DATABASE_URL to a Postgres that already runs.',
  })
}

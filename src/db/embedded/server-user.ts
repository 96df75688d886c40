import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { PermanentError } from '../../../systemscripts/errors.ts'

/** Whom the server runs as: empty means "as we do". Spreads into the options of spawn. */
export interface ServerUser {
  uid?: number
  gid?: number
}

/**
 * The user that the server of a cluster runs as.
 *
 * Postgres refuses to run as root. Under root it is therefore the owner of the cluster, and for a new cluster `postgres` when the
 * machine has that user, else `nobody`. Creates no user.
 *
 * @throws PermanentError `embedded_no_user`
 */
export function serverUser(cluster: string): ServerUser {
  if (process.getuid?.() !== 0) return {}
  const owner = statSync(cluster, { throwIfNoEntry: false })
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const found = findUser(['postgres', '_postgres', 'nobody'])
  if (found !== undefined) return found
  throw new PermanentError('embedded_no_user', 'The embedded Postgres has no user to run as', {
    detail: 'Rota runs as root, Postgres refuses to, and /etc/passwd has neither "postgres" nor "nobody".',
    hint: 'Start Rota as an ordinary user, or set DATABASE_URL to a Postgres that already runs.',
  })
}

/** Whether that user gets into a folder: asked of the kernel, since owner, group, access lists and mounts all have a say. */
export function canEnter(user: ServerUser, folder: string): boolean {
  if (user.uid === undefined) return true
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' }).status === 0
}

function findUser(names: string[]): ServerUser | undefined {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of names) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

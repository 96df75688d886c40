import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { canEnter, serverUser } from './server-user.ts'

/** Where clusters live whose data folder is closed to the server's user. */
const openHome = '/var/lib/rota'

export interface ClusterFolder {
  /** Postgres's own data folder. */
  folder: string
  /** True when it does not lie in the data folder. */
  isElsewhere: boolean
}

/**
 * Where the cluster of a data folder lies: in `<dataDir>/postgres`, or, when the server's user cannot enter the data folder (root's
 * home, a 0700 temporary folder), in `/var/lib/rota/<hash of the data folder's path>/postgres`. A cluster that is already there stays
 * where it is, also when the folder has been opened since. Creates nothing; the data folder exists.
 *
 * @throws PermanentError `data_folder_closed` when a cluster lies in a data folder that has since been closed to its owner: a new,
 * empty cluster elsewhere would look like lost data.
 */
export function clusterFolder(dataDir: string): ClusterFolder {
  const home = realpathSync(dataDir)
  const inside = { folder: join(home, 'postgres'), isElsewhere: false }
  const elsewhere = { folder: join(openHome, createHash('sha256').update(home).digest('hex').slice(0, 16), 'postgres'), isElsewhere: true }
  const user = serverUser(inside.folder)
  if (hasCluster(inside.folder)) {
    if (canEnter(user, home)) return inside
    throw new PermanentError('data_folder_closed', `The user of the embedded Postgres cannot enter the data folder "${dataDir}"`, {
      detail: `A cluster lies in ${inside.folder}, and the user with id ${user.uid} owns it.`,
      hint: `Let it pass through: chmod o+x on each folder of ${home}.`,
    })
  }
  if (hasCluster(elsewhere.folder)) return elsewhere
  return canEnter(user, home) ? inside : elsewhere
}

/** Whether initdb has been completed there: it is renamed into place as a whole. */
export function hasCluster(folder: string): boolean {
  return existsSync(join(folder, 'PG_VERSION'))
}

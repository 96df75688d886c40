import type { ImapFlow, ListResponse, MailboxObject } from 'imapflow'
import { commandRefusal, folderMissing } from './refusals.ts'

/** One connection and the folder that is open on it. Commands are given one after the other. */
export interface ImapSession {
  client: ImapFlow
  /** Opens a folder, unless it is open so already. `isFresh` opens it again, so that counts are true. */
  open(folder: string, mode: 'read' | 'write', isFresh?: boolean): Promise<MailboxObject>
  /** The folder's path on the server, made when missing. */
  ensureFolder(folder: string): Promise<string>
  folders(): Promise<ListResponse[]>
  /** Runs commands; a failure is worded. @param doing for the message: `fetching headers` */
  doing<T>(doing: string, work: (client: ImapFlow) => Promise<T>): Promise<T>
}

export function imapSession(client: ImapFlow, signal: AbortSignal | undefined): ImapSession {
  let listed: ListResponse[] | null = null
  return { client, open, ensureFolder, folders, doing }

  async function doing<T>(what: string, work: (client: ImapFlow) => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted()
      // On a lost connection some commands give nothing instead of failing, which would look like an empty mailbox.
      if (!client.usable) throw new Error('the connection is lost')
      return await work(client)
    } catch (error) {
      signal?.throwIfAborted()
      throw commandRefusal(error, what)
    }
  }

  async function folders(): Promise<ListResponse[]> {
    listed = (await doing('listing folders', () => client.list())).filter(({ flags }) => !flags.has('\\Noselect'))
    return listed
  }

  async function open(folder: string, mode: 'read' | 'write', isFresh = false): Promise<MailboxObject> {
    const path = await pathOf(folder)
    const { mailbox } = client
    if (!isFresh && mailbox && mailbox.path === path && (mode === 'read' || !mailbox.readOnly)) return mailbox
    return doing(`opening folder "${folder}"`, () => client.mailboxOpen(path, { readOnly: mode === 'read' }))
  }

  async function pathOf(folder: string): Promise<string> {
    const path = folderPath(listed ?? [], folder) ?? folderPath(await folders(), folder)
    if (path !== null) return path
    throw folderMissing(
      folder,
      (listed ?? []).map((each) => each.path),
    )
  }

  async function ensureFolder(folder: string): Promise<string> {
    const path = folderPath(listed ?? (await folders()), folder)
    if (path !== null) return path
    const created = await doing(`creating folder "${folder}"`, () => client.mailboxCreate(folder.split('/')))
    await folders()
    return created.path
  }
}

/**
 * Path of a folder as a person names it: its path; the path with `/` between levels, whatever the server uses; without the server's common
 * beginning (`INBOX.`); in other case; or its use, such as `\Junk`. The first that fits counts.
 */
export function folderPath(folders: Pick<ListResponse, 'path' | 'delimiter' | 'specialUse'>[], wanted: string): string | null {
  const name = wanted.trim().normalize('NFC')
  if (/^inbox$/i.test(name)) return 'INBOX'
  const shown = (path: string, delimiter: string): string => path.normalize('NFC').replaceAll(delimiter || '/', '/')
  const tests: ((folder: Pick<ListResponse, 'path' | 'delimiter' | 'specialUse'>) => boolean)[] = [
    ({ path }) => path.normalize('NFC') === name,
    ({ path, delimiter }) => shown(path, delimiter) === name,
    ({ path, delimiter }) => shown(path, delimiter) === `INBOX/${name}`,
    ({ path, delimiter }) => shown(path, delimiter).toLowerCase() === name.toLowerCase(),
    ({ path, delimiter }) => shown(path, delimiter).toLowerCase() === `inbox/${name.toLowerCase()}`,
    ({ specialUse }) => specialUse !== undefined && name.startsWith('\\') && specialUse.toLowerCase() === name.toLowerCase(),
  ]
  for (const fits of tests) {
    const found = folders.find(fits)
    if (found !== undefined) return found.path
  }
  return null
}

import type { ImapFlow, ListResponse, MailboxObject } from 'imapflow'
import type { MessageRef } from '../message-head.ts'
import { connectImap, type ImapOptions } from './connect.ts'
import { type FetchLane, openFetchLane } from './fetch-lane.ts'
import { commandRefusal, folderMissing, renumbered } from './refusals.ts'

/**
 * One connection for commands, which are given one after the other, and one that reads. One that was lost between two commands, as servers do
 * when little happens on it, is made again; a command that was under way fails.
 */
export interface ImapSession {
  readonly client: ImapFlow
  /** Opens a folder, unless it is open so already. `isFresh` opens it again, so that counts are true. */
  open(folder: string, mode: 'read' | 'write', isFresh?: boolean): Promise<MailboxObject>
  /** The folder's path on the server, made when missing. */
  ensureFolder(folder: string): Promise<string>
  folders(): Promise<ListResponse[]>
  /**
   * The lane that reads the folder of a message: opened when it is first needed, kept for the next.
   * @throws JobError `mailbox_renumbered` when the message's number means another by now
   */
  laneFor(ref: MessageRef): Promise<FetchLane>
  /** Opens the lane of a folder anew, so that it knows what came since. */
  openLane(folder: string): Promise<FetchLane>
  closeLane(): void
  /** Runs commands; a failure is worded. @param doing for the message: `fetching headers` */
  doing<T>(doing: string, work: (client: ImapFlow) => Promise<T>): Promise<T>
}

export function imapSession(first: ImapFlow, options: ImapOptions): ImapSession {
  const { signal } = options
  let client = first
  let listed: ListResponse[] | null = null
  let lane: { folder: string; opening: Promise<FetchLane> } | null = null
  return {
    get client() {
      return client
    },
    open,
    ensureFolder,
    folders,
    doing,
    laneFor,
    openLane,
    closeLane,
  }

  async function laneFor(ref: MessageRef): Promise<FetchLane> {
    const before = lane
    let opened = before?.folder === ref.folder ? await before.opening.catch(() => null) : null
    // Another call may have opened it anew in the meantime.
    if (opened?.uidValidity !== ref.uidValidity || opened.isLost())
      opened = await (lane !== before && lane?.folder === ref.folder ? lane.opening : openLane(ref.folder))
    if (opened.uidValidity !== ref.uidValidity) throw renumbered(ref.folder)
    return opened
  }

  async function openLane(folder: string): Promise<FetchLane> {
    closeLane()
    const opening = pathOf(folder).then((path) => openFetchLane(options, path))
    lane = { folder, opening }
    return await opening
  }

  function closeLane(): void {
    lane?.opening.then(
      (opened) => opened.close(),
      () => {},
    )
    lane = null
  }

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

  async function connect(): Promise<void> {
    if (!client.usable) client = await connectImap(options)
  }

  async function folders(): Promise<ListResponse[]> {
    await connect()
    listed = (await doing('listing folders', () => client.list())).filter(({ flags }) => !flags.has('\\Noselect'))
    return listed
  }

  async function open(folder: string, mode: 'read' | 'write', isFresh = false): Promise<MailboxObject> {
    await connect()
    const path = await pathOf(folder)
    const { mailbox } = client
    if (!isFresh && mailbox && mailbox.path === path && (mode === 'read' || !mailbox.readOnly)) return mailbox
    const select = (): Promise<MailboxObject> =>
      doing(`opening folder "${folder}"`, () => client.mailboxOpen(path, { readOnly: mode === 'read' }))
    try {
      return await select()
    } catch (error) {
      // That it was lost may only be noticed now.
      if (client.usable || signal?.aborted) throw error
      await connect()
      return select()
    }
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

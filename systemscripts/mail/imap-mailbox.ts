import { setTimeout as wait } from 'node:timers/promises'
import { actOnMessage } from './imap/act.ts'
import { connectImap, type ImapOptions } from './imap/connect.ts'
import { fetchHeads } from './imap/heads.ts'
import { lookIntoFolder } from './imap/look.ts'
import { rawMessage, readParts } from './imap/read-parts.ts'
import { commandRefusal } from './imap/refusals.ts'
import { type ImapSession, imapSession } from './imap/session.ts'
import { fetchStructures } from './imap/structures.ts'
import { leanStream } from './lean-stream.ts'
import type { Mailbox } from './mailbox.ts'

/**
 * A mailbox on an IMAP server: one connection for commands and one more for reading, which `close` ends. Large parts are read in windows, so memory does not grow with an attachment:
 * measured with 50 MB, 15 to 30 MB. A connection that is lost
 * between two commands is made again.
 *
 * @throws as connectImap
 */
export async function openImapMailbox(options: ImapOptions): Promise<Mailbox> {
  const session = imapSession(await connectImap(options), options)
  /** Highest number of each folder that was looked into. */
  const seen = new Map<string, number>()
  return {
    account: `imap:${options.user}@${options.host}`,
    folders: async () => (await session.folders()).map(({ path }) => path),
    look: async (folder, how) => {
      const look = await lookIntoFolder(session, folder, how)
      seen.set(folder, Number(look.cursor.uid))
      return look
    },
    heads: (refs) => fetchHeads(session, refs),
    structures: (refs) => fetchStructures(session, refs),
    read: (wanted) => readParts(session, wanted),
    raw: (ref) => leanStream(rawMessage(session, ref)),
    act: (ref, action) => actOnMessage(session, ref, action),
    hint: async (folder, timeoutSeconds) => {
      // What came since the last look would not be told again.
      const { uidNext } = await session.open(folder, 'read', true)
      return uidNext - 1 > (seen.get(folder) ?? uidNext) || waitForHint(session, timeoutSeconds, options)
    },
    close: async () => {
      session.closeLane()
      // A server that is gone cannot be told.
      await session.client.logout().catch(() => {})
      session.client.close()
    },
  }
}

/** A connection that is lost meanwhile may have had something to tell. */
async function waitForHint(
  { client }: ImapSession,
  timeoutSeconds: number,
  { signal, timeoutSeconds: silence = 60 }: ImapOptions,
): Promise<boolean> {
  const ended = new AbortController()
  const stop = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal
  const told = new Promise<boolean>((resolve) => {
    client.once('exists', () => resolve(true))
    client.once('close', () => resolve(true))
  })
  const until = performance.now() + timeoutSeconds * 1000
  try {
    for (let left = timeoutSeconds; left > 0; left = (until - performance.now()) / 1000) {
      const idling = client.idle().catch(() => false)
      // Who says nothing for too long would be given up: it is asked in between.
      const pause = wait(Math.min(left, silence / 2) * 1000, false, { signal: stop }).catch(() => false)
      if (await Promise.race([told, pause])) return true
      signal?.throwIfAborted()
      // Any command ends the idling.
      await client.noop()
      await idling
    }
    return false
  } catch (error) {
    signal?.throwIfAborted()
    if (client.usable) throw commandRefusal(error, 'waiting for new mail')
    return true
  } finally {
    ended.abort()
    if (client.usable) await client.noop().catch(() => {})
  }
}

import { connectImap, type ImapOptions } from './connect.ts'
import { commandRefusal } from './refusals.ts'
import { responseReader } from './responses.ts'
import { uidSet } from './uid-set.ts'
import { fetchedValues, type ImapValue } from './values.ts'

/** What a FETCH gave, by number of the message and name of the item, such as `BODY[1.2]`. */
export type Fetched = Map<string, Map<string, ImapValue>>

/**
 * A connection of its own that reads one folder and does nothing else. imapflow logs in and opens the folder; the commands and their answers are
 * read here, since taking a whole answer apart costs a third of the time it takes there, and because the next command can be on its way while
 * an answer is read.
 */
export interface FetchLane {
  uidValidity: string
  /** Number that the next message will have; 0 when the server does not say. */
  uidNext: number
  /** Sent at once, whatever is under way. @param items such as `(UID FLAGS)`; UID is to be among them */
  fetch(uids: number[], items: string): Promise<Fetched>
  /** Numbers of messages that fit. @param criteria as IMAP writes them: `UNDELETED UID 5:*` */
  search(criteria: string): Promise<number[]>
  /** The connection is gone; another lane is to be opened. */
  isLost(): boolean
  close(): void
}

/** @param path as the server names the folder. @throws as connectImap */
export async function openFetchLane(options: ImapOptions, path: string): Promise<FetchLane> {
  const client = await connectImap(options)
  const box = await client.mailboxOpen(path, { readOnly: true }).catch((error) => {
    client.close()
    throw commandRefusal(error, `opening folder "${path}"`)
  })
  const { readSocket, writeSocket, socket } = client.unbind()
  const { signal, timeoutSeconds = 60 } = options
  const stop = (): void => void socket.destroy()
  socket.on('error', () => {})
  socket.on('timeout', stop)
  signal?.addEventListener('abort', stop, { once: true })
  socket.once('close', () => signal?.removeEventListener('abort', stop))
  const next = responseReader(readSocket)
  const waiting = new Map<string, Waiting>()
  let sent = 0
  return {
    uidValidity: String(box.uidValidity),
    uidNext: box.uidNext || 0,
    fetch,
    search,
    isLost: () => socket.destroyed,
    close: stop,
  }

  async function fetch(uids: number[], items: string): Promise<Fetched> {
    const fetched: Fetched = new Map()
    const wanted = new Set(uids.map(String))
    await command(`UID FETCH ${uidSet(uids)} ${items}`, (_, values) => {
      const uid = values?.get('UID')
      if (values && typeof uid === 'string' && wanted.has(uid)) fetched.set(uid, new Map([...(fetched.get(uid) ?? []), ...values]))
    })
    return fetched
  }

  async function search(criteria: string): Promise<number[]> {
    const uids: number[] = []
    await command(`UID SEARCH ${criteria}`, (response) => {
      if (!/^\* SEARCH /i.test(response.toString('latin1', 0, 9))) return
      for (const number of response.toString('latin1', 9).split(' ')) if (/^\d+$/.test(number)) uids.push(Number(number))
    })
    return uids
  }

  /** Sends a command at once. */
  function command(text: string, take: Waiting['take']): Promise<void> {
    sent += 1
    const answer = new Promise<void>((answered, failed) => waiting.set(`R${sent}`, { take, answered, failed }))
    socket.setTimeout(timeoutSeconds * 1000)
    writeSocket.write(`R${sent} ${text}\r\n`)
    if (waiting.size === 1) void readOn()
    // Whoever waits for it is told; until then nobody may be waiting.
    answer.catch(() => {})
    return answer
  }

  /** A server may carry out several commands at once: what it says is shown to all that wait, and each takes what it asked for. */
  async function readOn(): Promise<void> {
    try {
      // A response that were held here while the next one comes would be freed late.
      while (waiting.size > 0) heed(await next())
      // Between commands the server has no reason to say anything.
      socket.setTimeout(0)
    } catch (error) {
      stop()
      const refusal = signal?.aborted ? signal.reason : commandRefusal(error, 'reading messages')
      for (const { failed } of waiting.values()) failed(refusal)
      waiting.clear()
    }
  }

  function heed(response: Buffer): void {
    const line = response.toString('latin1', 0, 200)
    const tag = line.slice(0, line.indexOf(' '))
    const command = waiting.get(tag)
    if (command === undefined) {
      if (/^\* BYE\b/i.test(line)) throw new Error(line.slice(2))
      const values = fetchedValues(response)
      for (const { take } of waiting.values()) take(response, values)
      return
    }
    // One that is refused stays among those that are told why.
    if (!line.startsWith(`${tag} OK`) && !(line.startsWith(`${tag} NO`) && GONE.test(line))) throw new Error(line.slice(tag.length + 1))
    waiting.delete(tag)
    command.answered()
  }
}

/** A command that is not answered yet. */
interface Waiting {
  take(response: Buffer, values: Map<string, ImapValue> | null): void
  answered(): void
  failed(reason: unknown): void
}

/** Some of the messages were deleted meanwhile; the others have been given. RFC 2180, 4.1. */
const GONE = /EXPUNGEISSUED|no longer exist|expunged/i

import { connectImap, type ImapOptions } from './connect.ts'
import { commandRefusal } from './refusals.ts'
import { responseReader } from './responses.ts'
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
  /** Sent at once, answered in order. @param items such as `(UID FLAGS)`; UID is to be among them */
  fetch(uids: string, items: string): Promise<Fetched>
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
  let sent = 0
  let answered = 0
  let before: Promise<unknown> = Promise.resolve()
  return {
    uidValidity: String(box.uidValidity),
    uidNext: box.uidNext || 0,
    fetch,
    search,
    isLost: () => socket.destroyed,
    close: stop,
  }

  async function fetch(uids: string, items: string): Promise<Fetched> {
    const fetched: Fetched = new Map()
    await command(`UID FETCH ${uids} ${items}`, (response) => {
      const values = fetchedValues(response)
      const uid = values?.get('UID')
      if (values && typeof uid === 'string') fetched.set(uid, new Map([...(fetched.get(uid) ?? []), ...values]))
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

  /** Sends a command at once; what the server says until it is answered goes to `take`. */
  function command(text: string, take: (response: Buffer) => void): Promise<void> {
    sent += 1
    const tag = `R${sent}`
    socket.setTimeout(timeoutSeconds * 1000)
    writeSocket.write(`${tag} ${text}\r\n`)
    const answer = before
      .then(() => readUntil(tag, take))
      .finally(() => {
        answered += 1
        // Between commands the server has no reason to say anything.
        if (answered === sent) socket.setTimeout(0)
      })
    before = answer
    // Whoever waits for it is told; until then nobody may be waiting.
    answer.catch(() => {})
    return answer
  }

  async function readUntil(tag: string, take: (response: Buffer) => void): Promise<void> {
    try {
      for (;;) {
        const response = await next()
        const line = response.toString('latin1', 0, 200)
        if (line.startsWith(`${tag} OK`) || (line.startsWith(`${tag} NO`) && GONE.test(line))) return
        if (line.startsWith(`${tag} `) || /^\* BYE\b/i.test(line)) throw new Error(line.replace(/^\S+ /, ''))
        take(response)
      }
    } catch (error) {
      stop()
      signal?.throwIfAborted()
      throw commandRefusal(error, 'reading messages')
    }
  }
}

/** Some of the messages were deleted meanwhile; the others have been given. RFC 2180, 4.1. */
const GONE = /EXPUNGEISSUED|no longer exist|expunged/i

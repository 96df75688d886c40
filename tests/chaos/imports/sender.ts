/** Whoever drops files into the folders of a storm; knows afterwards what must have become of each. */
import { createHash, randomUUID } from 'node:crypto'
import { open, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Feed, feeds } from './feeds.ts'

export interface SentFile {
  feed: Feed
  /** Names under which the same bytes were sent; only one of them may be loaded. */
  names: string[]
  sha256: string
  /** In every row of it. */
  token: string
  rows: number
  /** Its keys are numbered from here, where its feed has keys. */
  firstKey: number
  isGood: boolean
  /** Another file took its name while it may have been waiting: it was loaded once, or never seen. */
  isReplaced: boolean
}

/** Sends a file every so often until `signal`. @param sendEvery mean seconds between two files */
export async function sendFiles(dataDir: string, sendEvery: number, signal: AbortSignal): Promise<SentFile[]> {
  const sent: SentFile[] = []
  const sending: Promise<void>[] = []
  while (!signal.aborted) {
    const feed = feeds[sent.length % feeds.length]
    if (feed !== undefined) sending.push(sendOne(join(dataDir, 'inbox', feed.name), feed, sent))
    await pause(sendEvery * 1000 * 2 * Math.random(), undefined, { signal }).catch(() => undefined)
  }
  await Promise.all(sending)
  return sent
}

async function sendOne(folder: string, feed: Feed, sent: SentFile[]): Promise<void> {
  const number = sent.length
  const label = `site${number % 3}`
  const make = (isGood: boolean) => makeFile(feed, label, isGood)
  const dice = Math.random()
  const first = make(dice > 0.1)
  const name = `${label}_${number}.${feed.extension}`
  const file: SentFile = { feed, names: [name], isReplaced: false, ...first.facts }
  sent.push(file)
  await drop(folder, name, first.bytes, feed)
  if (dice > 0.8 && !feed.hasDoneFiles) {
    const copy = `${label}_${number}_again.${feed.extension}`
    file.names.push(copy)
    await drop(folder, copy, first.bytes, feed)
  } else if (dice > 0.6 && !feed.hasDoneFiles) {
    await pause(3000 * Math.random())
    const second = make(true)
    file.isReplaced = true
    sent.push({ feed, names: [name], isReplaced: false, ...second.facts })
    await drop(folder, name, second.bytes, feed, true)
  }
}

function makeFile(feed: Feed, label: string, isGood: boolean): { bytes: Buffer; facts: Omit<SentFile, 'feed' | 'names' | 'isReplaced'> } {
  const token = randomUUID()
  const count = Math.random() < 0.1 ? 4000 : 20 + Math.floor(Math.random() * 60)
  const first = feed.rows === 'keyed' ? Math.floor(Math.random() * 200) : 0
  const rows = Array.from({ length: count }, (_, row) => [token, String(row), `key ${first + row}`, label, String(count)])
  const whole = feed.write([['token', 'line', 'key', 'site', 'of'], ...rows])
  const bytes = isGood ? whole : spoilt(whole, token)
  return {
    bytes,
    facts: {
      sha256: createHash('sha256').update(bytes).digest('hex'),
      token,
      rows: count - (feed.refusedRows ?? 0),
      firstKey: first,
      isGood,
    },
  }
}

/** A picture under the name of a table; its bytes are those of no other. */
function spoilt(bytes: Buffer, token: string): Buffer {
  return Buffer.concat([Buffer.from(`%PDF-1.7 ${token} `), bytes.subarray(0, 200)])
}

/** At once under another name and then renamed, or bit by bit in the open, as senders do. */
async function drop(folder: string, name: string, bytes: Buffer, feed: Feed, atOnce = Math.random() < 0.5): Promise<void> {
  if (atOnce || feed.hasDoneFiles) {
    const draft = join(folder, `.${name}.${randomUUID()}.part`)
    await writeFile(draft, bytes)
    await rename(draft, join(folder, name))
  } else {
    const file = await open(join(folder, name), 'w')
    for (const part of [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)]) {
      await file.write(part)
      await pause(100)
    }
    await file.close()
  }
  if (feed.hasDoneFiles) await writeFile(join(folder, `${name}.done`), '')
}

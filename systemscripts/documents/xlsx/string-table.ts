import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { crc32, createDeflateRaw } from 'node:zlib'
import { xmlText } from './xml-text.ts'
import { PACKING, type PackedEntry } from './zip-writer.ts'

/**
 * The texts of a workbook, in a part of their own: some programs on phones show no text that stands in a cell itself. That part comes after the
 * sheets, so it is packed into a temporary file meanwhile: memory does not grow with the rows.
 */
export interface StringTable {
  /** The number by which a cell refers to the text. Texts that return have one number as long as they are short and not too many. */
  add(text: string): number
  /** Characters of XML that were added since the last flush. */
  waiting(): number
  /** Packs them. */
  flush(): Promise<void>
  /** Ends it. The pieces can be read until `close`. */
  finish(): Promise<PackedEntry>
  /** Deletes the file; may be called at any time, and twice. */
  close(): Promise<void>
}

const MOST_REMEMBERED = 50_000
const LONGEST_REMEMBERED = 64

export async function openStringTable(): Promise<StringTable> {
  const folder = await mkdtemp(join(tmpdir(), 'rota-workbook-'))
  const path = join(folder, 'strings')
  const packing = createDeflateRaw(PACKING)
  const file = createWriteStream(path)
  const leaving = new AbortController()
  const packed = pipeline(packing, file, { signal: leaving.signal })
  // Its failure is told by flush and finish.
  packed.catch(() => {})
  const known = new Map<string, number>()
  let text = HEAD
  let count = 0
  let crc = 0
  let unpackedBytes = 0
  return { add, waiting, flush, finish, close }

  function add(value: string): number {
    const found = value.length <= LONGEST_REMEMBERED ? known.get(value) : undefined
    if (found !== undefined) return found
    if (value.length <= LONGEST_REMEMBERED && known.size < MOST_REMEMBERED) known.set(value, count)
    text += `<si><t${PRESERVED.test(value) ? ' xml:space="preserve"' : ''}>${xmlText(value)}</t></si>`
    count += 1
    return count - 1
  }

  function waiting(): number {
    return text.length
  }

  async function flush(): Promise<void> {
    if (text === '') return
    const piece = Buffer.from(text)
    text = ''
    crc = crc32(piece, crc)
    unpackedBytes += piece.length
    if (!packing.write(piece)) await Promise.race([once(packing, 'drain'), packed])
  }

  async function finish(): Promise<PackedEntry> {
    text += '</sst>'
    await flush()
    packing.end()
    await packed
    known.clear()
    return { pieces: createReadStream(path), crc, packedBytes: file.bytesWritten, unpackedBytes }
  }

  async function close(): Promise<void> {
    leaving.abort()
    await packed.catch(() => {})
    await rm(folder, { recursive: true, force: true })
  }
}

const HEAD =
  '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
const PRESERVED = /^\s|\s$|\s\s|\n/

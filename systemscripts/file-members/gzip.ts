import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'

/**
 * What a gzip holds, several streams behind each other joined, checksums verified; with how many packed bytes were read for it so far.
 * @throws Error when it is cut off or broken
 */
export async function* gunzipped(path: string): AsyncGenerator<{ piece: Buffer; packedBytes: number }> {
  const source = createReadStream(path, { highWaterMark: 64 * 1024 })
  const unpacking = createGunzip({ chunkSize: 64 * 1024 })
  // Errors of either side come out of the walk.
  pipeline(source, unpacking, () => {})
  for await (const piece of unpacking) yield { piece, packedBytes: unpacking.bytesWritten }
}

/** The name in the header of a gzip, without folders (RFC 1952, 2.3); null when it has none. */
export async function gzipName(path: string): Promise<string | null> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0)
    const head = buffer.subarray(0, bytesRead)
    const flags = head[3] ?? 0
    if (head.length < 18 || (flags & 8) === 0) return null
    const from = (flags & 4) === 0 ? 10 : 12 + head.readUInt16LE(10)
    const end = head.indexOf(0, from)
    const name = end === -1 ? '' : head.toString('latin1', from, end).replace(/^.*[/\\]/, '')
    return name === '' ? null : name
  } finally {
    await file.close()
  }
}

import { Readable, type Transform } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { JobError, PermanentError } from '../../errors.ts'
import { pageTooLarge } from '../refusals.ts'
import type { WebResponse } from './send.ts'

/**
 * The whole body, unpacked (gzip, deflate, br, zstd, also one in another). Neither packed nor unpacked is more than the limit held in memory.
 *
 * @param beyond what happens with a longer one: it is refused, or only its beginning is given
 * @throws PermanentError `page_too_large`, `content_encoding_unknown`; JobError `body_broken`
 */
export async function webBody(response: WebResponse, limitBytes: number, beyond: 'refuse' | 'cut'): Promise<Buffer> {
  const codings = codingsOf(response)
  if (codings.length > 1 || (codings.length === 1 && beyond === 'cut')) return collect(response, openWebBody(response), limitBytes, beyond)
  if (beyond === 'refuse') refuseStated(response, limitBytes)
  const packed = await collect(response, response.body, limitBytes, beyond)
  const [coding] = codings
  if (coding === undefined || packed.length === 0) return packed
  try {
    return await unpackWhole[coding](packed, { maxOutputLength: limitBytes })
  } catch (error) {
    if (hasCode(error, 'ERR_BUFFER_TOO_LARGE')) throw pageTooLarge(response.url.href, limitBytes, `It unpacks ${coding} to more`)
    throw bodyBroken(response, coding, error)
  }
}

/**
 * The body as a stream, unpacked. Memory does not grow with it; how long it becomes is for the reader to watch.
 * Its errors: JobError `body_broken`, and those of the connection.
 *
 * @throws PermanentError `content_encoding_unknown`
 */
export function openWebBody(response: WebResponse): AsyncIterable<Buffer> {
  const codings = codingsOf(response)
  return codings.reduceRight<AsyncIterable<Buffer>>((stream, coding) => unpackStream(stream, coding, response), response.body)
}

type Coding = 'gzip' | 'deflate' | 'br' | 'zstd'

const inflate = promisify(zlib.inflate)
const inflateRaw = promisify(zlib.inflateRaw)

type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
const unpackWhole: Record<Coding, Unpack> = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(zlib.gunzip),
  deflate: (packed, options) => (isZlib(packed) ? inflate(packed, options) : inflateRaw(packed, options)),
  br: promisify<Buffer, { maxOutputLength: number }, Buffer>(zlib.brotliDecompress),
  zstd: promisify<Buffer, { maxOutputLength: number }, Buffer>(zlib.zstdDecompress),
}

/** RFC 1950: the header of zlib. Some servers mean by "deflate" the bare stream without it. */
function isZlib(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 15) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0
}

/** In the order they were put on. An answer without body has none, whatever it says. */
function codingsOf(response: WebResponse): Coding[] {
  if (response.status === 204 || response.status === 304) return []
  const named = (response.header('content-encoding') ?? '').toLowerCase().split(',')
  return named.flatMap((name) => {
    const coding = name.trim().replace(/^x-/, '')
    if (coding === '' || coding === 'identity') return []
    if (coding === 'gzip' || coding === 'deflate' || coding === 'br' || coding === 'zstd') return [coding]
    throw new PermanentError('content_encoding_unknown', `${response.url.href} is packed as "${coding}", which was not asked for`, {
      detail: 'Asked for: gzip, deflate, br, zstd.',
      hint: 'Tell the people of the site.',
    })
  })
}

function refuseStated(response: WebResponse, limitBytes: number): void {
  const stated = Number(response.header('content-length') ?? 0)
  if (stated <= limitBytes) return
  throw pageTooLarge(response.url.href, limitBytes, `It says that it has ${stated} bytes`)
}

async function collect(
  response: WebResponse,
  stream: AsyncIterable<Buffer>,
  limitBytes: number,
  beyond: 'refuse' | 'cut',
): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of stream) {
    pieces.push(piece)
    length += piece.length
    if (length > limitBytes && beyond === 'refuse') throw pageTooLarge(response.url.href, limitBytes, 'It goes on beyond that')
    if (length >= limitBytes && beyond === 'cut') break
  }
  const [only] = pieces
  const all = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
  return beyond === 'cut' ? all.subarray(0, limitBytes) : all
}

async function* unpackStream(packed: AsyncIterable<Buffer>, coding: Coding, response: WebResponse): AsyncGenerator<Buffer> {
  const walk = packed[Symbol.asyncIterator]()
  const first = await walk.next()
  if (first.done) return
  const unpacker = openUnpacker(coding, first.value)
  let broken: unknown = null
  // A failure of the source is told as it is, not as one of the unpacking.
  const source = Readable.from(
    (async function* () {
      try {
        yield first.value
        for (let next = await walk.next(); !next.done; next = await walk.next()) yield next.value
      } catch (error) {
        broken = error
        throw error
      } finally {
        await walk.return?.()
      }
    })(),
  )
  source.once('error', (error) => unpacker.destroy(error))
  try {
    yield* source.pipe(unpacker)
  } catch (error) {
    throw broken ?? bodyBroken(response, coding, error)
  } finally {
    source.destroy()
    unpacker.destroy()
  }
}

function openUnpacker(coding: Coding, head: Buffer): Transform {
  if (coding === 'gzip') return zlib.createGunzip()
  if (coding === 'br') return zlib.createBrotliDecompress()
  if (coding === 'zstd') return zlib.createZstdDecompress()
  return isZlib(head) ? zlib.createInflate() : zlib.createInflateRaw()
}

function bodyBroken(response: WebResponse, coding: Coding, cause: unknown): JobError {
  return new JobError('body_broken', `The body of ${response.url.href} cannot be unpacked`, {
    detail: `It says that it is ${coding}: ${cause instanceof Error ? cause.message : String(cause)}.`,
    hint: 'The transfer may have been cut; a retry may succeed.',
    cause,
  })
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

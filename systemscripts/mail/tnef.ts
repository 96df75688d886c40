import type { MessagePart } from './message-part.ts'
import { type ByteWalk, walkBytes } from './mime/byte-walk.ts'
import { textOfBytes } from './mime/text-of-bytes.ts'
import { skipProperty, takeProperties } from './tnef/properties.ts'

/** A file in winmail.dat. */
export interface TnefFile {
  name: string | null
  type: string | null
  /** Where its bytes lie within the stream, without `end`. */
  start: number
  end: number
  /** A message, again in this format. */
  isMessage: boolean
}

const SIGNATURE = 0x223e9f78
const MOST_FILES = 500
const LONGEST_NAME = 4096

const OF_ATTACHMENT = 2
const OEM_CODE_PAGE = 0x9007
const NEW_ATTACHMENT = 0x9002
const DATA = 0x800f
const TITLE = 0x8010
const PROPERTIES = 0x9005

/**
 * The files in winmail.dat, the wrapper that Outlook makes (TNEF), and where each lies. One pass; the files themselves are not kept.
 * What is cut off or broken ends the list. Source: Microsoft [MS-OXTNEF] 2.1 (attributes), 2.1.3.4 (properties of attachments).
 *
 * @returns null when the bytes are no TNEF
 */
export async function tnefFiles(bytes: AsyncIterable<Buffer>): Promise<TnefFile[] | null> {
  const walk = walkBytes(bytes)
  try {
    const head = await walk.take(6)
    if (head?.readUInt32LE(0) !== SIGNATURE) return null
    return await readFiles(walk)
  } finally {
    await walk.close()
  }
}

async function readFiles(walk: ByteWalk): Promise<TnefFile[]> {
  const files: Partial<TnefFile>[] = []
  let codePage: string | null = null
  for (let attribute = await walk.take(9); attribute !== null; attribute = await walk.take(9)) {
    const [level, id, length] = [attribute[0], attribute.readUInt16LE(1), attribute.readUInt32LE(5)]
    const end = walk.position() + length
    const file = level === OF_ATTACHMENT ? files.at(-1) : undefined
    if (id === OEM_CODE_PAGE && length >= 4) codePage = `windows-${(await walk.take(4))?.readUInt32LE(0)}`
    else if (level === OF_ATTACHMENT && id === NEW_ATTACHMENT && files.length < MOST_FILES) files.push({})
    else if (file && id === DATA) Object.assign(file, { start: walk.position(), end })
    else if (file && id === TITLE) file.name ??= cleaned(await walk.take(Math.min(length, LONGEST_NAME)), codePage)
    else if (file && id === PROPERTIES) await addProperties(walk, end, file, codePage)
    // Each attribute ends with a checksum of two bytes.
    if (!(await walk.skip(end - walk.position() + 2))) break
  }
  return files.flatMap(({ name = null, type = null, start, end, isMessage = false }) =>
    start === undefined || end === undefined || end > walk.position() ? [] : [{ name, type, start, end, isMessage }],
  )
}

function cleaned(bytes: Buffer | null, codePage: string | null): string | null {
  const text = bytes === null ? '' : textOfBytes(bytes, codePage).replace(/\0.*$/s, '')
  return text === '' ? null : text
}

/** The long name, the type and, where the file lies in a property, its place. */
async function addProperties(walk: ByteWalk, end: number, file: Partial<TnefFile>, codePage: string | null): Promise<void> {
  let shortName: string | null = null
  for await (const property of takeProperties(walk, end)) {
    if (property.id === 0x3701 && property.kind === 'object') {
      // An interface id stands before the object; a message in this format follows it.
      Object.assign(file, { start: property.start + 16, end: property.end, isMessage: true })
    } else if (property.id === 0x3701 && file.start === undefined) Object.assign(file, { start: property.start, end: property.end })
    else if (
      property.kind === 'text' &&
      [0x3707, 0x3001, 0x3704, 0x370e].includes(property.id) &&
      property.end - property.start <= LONGEST_NAME
    ) {
      const bytes = await walk.take(property.end - property.start)
      const text = property.isWide ? cleanedWide(bytes) : cleaned(bytes, codePage)
      if (property.id === 0x3707) file.name = text ?? file.name ?? null
      else if (property.id === 0x370e) file.type = text?.toLowerCase() ?? null
      else shortName = property.id === 0x3704 ? (text ?? shortName) : (shortName ?? text)
    }
    if (!(await skipProperty(walk, property))) return
  }
  file.name ??= shortName
}

function cleanedWide(bytes: Buffer | null): string | null {
  return bytes?.toString('utf16le').replace(/\0.*$/s, '') || null
}

/** The files as parts of the message, below the wrapper. */
export function partsOfTnef(wrapper: MessagePart, files: TnefFile[]): MessagePart[] {
  return files.map((file, index) => ({
    partId: `${wrapper.partId}#${index + 1}`,
    type: file.isMessage ? 'application/ms-tnef' : (file.type ?? 'application/octet-stream'),
    charset: null,
    encoding: 'binary',
    disposition: 'attachment',
    fileName: file.name,
    contentId: null,
    encodedBytes: file.end - file.start,
    boundary: null,
    children: [],
    stretch: { container: wrapper, start: file.start, end: file.end },
  }))
}

import type { ByteWalk } from '../mime/byte-walk.ts'

export interface TnefProperty {
  id: number
  kind: 'text' | 'binary' | 'object' | 'other'
  /** Text of two bytes a character. */
  isWide: boolean
  /** Where its value lies in the stream. */
  start: number
  end: number
  /** Where the next property begins, behind the filling. */
  next: number
}

const FIXED_BYTES: Record<number, number> = {
  1: 0,
  2: 4,
  3: 4,
  4: 4,
  5: 8,
  6: 8,
  7: 8,
  10: 4,
  11: 4,
  20: 8,
  64: 8,
  72: 16,
}
const KINDS: Record<number, TnefProperty['kind']> = { 13: 'object', 30: 'text', 31: 'text', 258: 'binary' }
const MANY = 0x1000
const MOST = 2000

/**
 * The properties of an attachment. The caller may read a property's value and must then pass the rest of it with skipProperty.
 * Ends without error at whatever cannot be read. Source: [MS-OXTNEF] 2.1.3.4 and [MS-OXCDATA] 2.11.1.
 */
export async function* takeProperties(walk: ByteWalk, end: number): AsyncGenerator<TnefProperty> {
  const count = (await walk.take(4))?.readUInt32LE(0) ?? 0
  for (let index = 0; index < Math.min(count, MOST) && walk.position() + 4 <= end; index += 1) {
    const head = await walk.take(4)
    if (head === null) return
    const [type, id] = [head.readUInt16LE(0), head.readUInt16LE(2)]
    if (id >= 0x8000 && !(await skipName(walk))) return
    const property = await placeOf(walk, type, id)
    if (property === null || property.next > end) return
    yield property
  }
}

/** Named properties carry their name: a number or a text. */
async function skipName(walk: ByteWalk): Promise<boolean> {
  const name = await walk.take(24)
  if (name === null) return false
  return name.readUInt32LE(16) === 0 || walk.skip(padded(name.readUInt32LE(20)))
}

async function placeOf(walk: ByteWalk, type: number, id: number): Promise<TnefProperty | null> {
  const fixed = FIXED_BYTES[type & ~MANY]
  const kind = KINDS[type & ~MANY]
  const isMany = (type & MANY) !== 0
  const count = isMany || kind !== undefined ? ((await walk.take(4))?.readUInt32LE(0) ?? 0) : 1
  if (fixed !== undefined) return property(walk, id, 'other', fixed * count)
  if (kind === undefined) return null
  // Of several values all but the last are passed over.
  for (let index = 1; index < count; index += 1) {
    const length = (await walk.take(4))?.readUInt32LE(0)
    if (length === undefined || !(await walk.skip(padded(length)))) return null
  }
  const length = count === 0 ? 0 : (await walk.take(4))?.readUInt32LE(0)
  return length === undefined ? null : { ...property(walk, id, isMany ? 'other' : kind, length), isWide: type === 0x1f }
}

function property(walk: ByteWalk, id: number, kind: TnefProperty['kind'], length: number): TnefProperty {
  const start = walk.position()
  return { id, kind, isWide: false, start, end: start + length, next: start + padded(length) }
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4
}

/** Goes to the end of a property, however much of it was read. @returns false when the stream ends before */
export async function skipProperty(walk: ByteWalk, { next }: TnefProperty): Promise<boolean> {
  return walk.skip(Math.max(next - walk.position(), 0))
}

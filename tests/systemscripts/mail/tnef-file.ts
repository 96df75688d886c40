/** Bytes of winmail.dat as Outlook writes it: [MS-OXTNEF]. */
export interface TnefAttachment {
  /** DOS name, 8-bit. */
  title?: string
  /** Unicode, in the properties. */
  longName?: string
  bytes?: Uint8Array
  /** A message within, itself TNEF. */
  message?: Uint8Array
}

export function tnefOf(attachments: TnefAttachment[]): Buffer {
  const parts = [
    u32(0x223e9f78),
    u16(1),
    attribute(1, 0x00069007, Buffer.concat([u32(1252), u32(0)])),
    attribute(1, 0x00089006, u32(0x10000)),
  ]
  for (const { title, longName, bytes, message } of attachments) {
    parts.push(attribute(2, 0x00069002, Buffer.alloc(14)))
    if (bytes !== undefined) parts.push(attribute(2, 0x0006800f, Buffer.from(bytes)))
    if (title !== undefined) parts.push(attribute(2, 0x00018010, Buffer.from(`${title}\0`, 'latin1')))
    const list = [property(0x0e20, 0x0003, u32(7))]
    if (longName !== undefined) list.push(property(0x3707, 0x001f, Buffer.from(`${longName}\0`, 'utf16le'), true))
    list.push(named(0x8001, 'x-thing', Buffer.from('v\0\0\0', 'utf16le')))
    if (message !== undefined) list.push(property(0x3701, 0x000d, Buffer.concat([Buffer.alloc(16, 7), message]), true))
    const properties = [u32(list.length), ...list]
    parts.push(attribute(2, 0x00069005, Buffer.concat(properties)))
  }
  return Buffer.concat(parts)
}

function attribute(level: number, id: number, data: Buffer): Buffer {
  const sum = data.reduce((total, byte) => (total + byte) & 0xffff, 0)
  return Buffer.concat([Buffer.of(level), u32(id), u32(data.length), data, u16(sum)])
}

function property(id: number, type: number, value: Buffer, isVariable = false): Buffer {
  const head = Buffer.concat([u16(type), u16(id)])
  return isVariable ? Buffer.concat([head, u32(1), u32(value.length), padded(value)]) : Buffer.concat([head, value])
}

function named(id: number, name: string, value: Buffer): Buffer {
  const text = Buffer.from(`${name}\0`, 'utf16le')
  const head = Buffer.concat([u16(0x001f), u16(id), Buffer.alloc(16, 3), u32(1), u32(text.length), padded(text)])
  return Buffer.concat([head, u32(1), u32(value.length), padded(value)])
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

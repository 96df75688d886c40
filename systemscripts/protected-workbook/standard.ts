import { createDecipheriv, createHash } from 'node:crypto'
import { type CipherDescription, cipherDescription } from './cipher-description.ts'
import { DEFAULT_PASSWORD, type SegmentCipher, spinHash } from './segment-cipher.ts'

const AES_BITS = new Map([
  [0x660e, 128],
  [0x660f, 192],
  [0x6610, 256],
])
/** Fixed by [MS-OFFCRYPTO] 2.3.4.7. */
const SPINS = 50_000

/** Of a package by its description, [MS-OFFCRYPTO] 2.3.4.5; null when the default password is not its own, or the cipher another than AES. */
export function standardCipher(description: Buffer): SegmentCipher | null {
  const described = cipherDescription(description)
  const bits = described === null ? undefined : AES_BITS.get(described.algorithm)
  if (described === null || bits === undefined) return null
  const key = keyFrom(described, bits / 8)
  const decipher = (bytes: Buffer) => createDecipheriv(`aes-${bits}-ecb`, key, null).setAutoPadding(false).update(bytes)
  const expected = createHash('sha1').update(decipher(described.verifier)).digest()
  const isRight = decipher(described.verifierHash.subarray(0, 32)).subarray(0, expected.length).equals(expected)
  return isRight ? (_, bytes) => decipher(bytes) : null
}

function keyFrom({ salt }: CipherDescription, length: number): Buffer {
  const spin = spinHash('sha1', sha1(salt, Buffer.from(DEFAULT_PASSWORD, 'utf16le')), SPINS)
  const ofBlock = sha1(spin, Buffer.alloc(4))
  return Buffer.concat([widened(ofBlock, 0x36), widened(ofBlock, 0x5c)]).subarray(0, length)
}

function widened(bytes: Buffer, filler: number): Buffer {
  const block = Buffer.alloc(64, filler)
  bytes.forEach((byte, index) => {
    block[index] = byte ^ filler
  })
  return sha1(block)
}

function sha1(...pieces: Buffer[]): Buffer {
  const sum = createHash('sha1')
  for (const piece of pieces) sum.update(piece)
  return sum.digest()
}

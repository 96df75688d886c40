import { createHash } from 'node:crypto'
import { cipherDescription } from './cipher-description.ts'
import { rc4 } from './rc4.ts'
import { DEFAULT_PASSWORD } from './segment-cipher.ts'

/** Deciphers in place the data of a record of which the first byte stands at `from` in the stream, leaving out the first `plain` bytes. */
export type BiffCipher = (stream: Buffer, record: { from: number; end: number; plain: number }) => void

/** A key serves so many bytes of the stream: [MS-OFFCRYPTO] 2.3.6.2 and 2.3.5.2. */
const BLOCK_BYTES = 1024
const RC4 = 0x6801
/** What fills a password up to 16 characters: [MS-OFFCRYPTO] 2.3.7.2. */
const PAD = Buffer.from('bbffffbaffffb98000be0f00bf0f00', 'hex')

/**
 * Of a workbook of Excel 97 or before by the data of its FilePass record, [MS-XLS] 2.4.117: XOR, RC4, or RC4 by a provider of Windows. Null when
 * Excel's default password is not its own.
 */
export function biffCipher(filePass: Buffer): BiffCipher | null {
  // Before BIFF 8 only XOR was known, and said without its kind.
  if (filePass.length === 4) return xorCipher(filePass)
  if (filePass.length < 6) return null
  if (filePass.readUInt16LE(0) === 0) return xorCipher(filePass.subarray(2))
  const version = filePass.subarray(2)
  return version.readUInt16LE(2) === 1 ? plainRc4(version.subarray(4)) : providerRc4(version)
}

function plainRc4(described: Buffer): BiffCipher | null {
  if (described.length < 48) return null
  const [salt, verifier, verifierHash] = [described.subarray(0, 16), described.subarray(16, 32), described.subarray(32, 48)]
  const short = hashed('md5', Buffer.from(DEFAULT_PASSWORD, 'utf16le')).subarray(0, 5)
  const mixed = hashed('md5', ...Array.from({ length: 16 }, () => Buffer.concat([short, salt]))).subarray(0, 5)
  return rc4Cipher((block) => hashed('md5', mixed, int32(block)), 'md5', verifier, verifierHash)
}

function providerRc4(version: Buffer): BiffCipher | null {
  const described = cipherDescription(version)
  if (described?.algorithm !== RC4) return null
  const { keyBits, salt, verifier, verifierHash } = described
  const password = hashed('sha1', salt, Buffer.from(DEFAULT_PASSWORD, 'utf16le'))
  const keyOf = (block: number): Buffer => {
    const key = hashed('sha1', password, int32(block)).subarray(0, keyBits / 8)
    // Keys of 40 bits are filled up with zeros.
    return keyBits === 40 ? Buffer.concat([key], 16) : key
  }
  return rc4Cipher(keyOf, 'sha1', verifier, verifierHash.subarray(0, 20))
}

function rc4Cipher(keyOf: (block: number) => Buffer, hash: string, verifier: Buffer, verifierHash: Buffer): BiffCipher | null {
  const next = rc4(keyOf(0))
  const [plainVerifier, plainHash] = [verifier, verifierHash].map((bytes) => Buffer.from(bytes.map((byte) => byte ^ next())))
  if (plainVerifier === undefined || plainHash === undefined || !hashed(hash, plainVerifier).equals(plainHash)) return null
  let key = next
  let block = -1
  let used = 0
  return (stream, { from, end, plain }) => {
    for (let at = from; at < end; at += 1) {
      if (Math.floor(at / BLOCK_BYTES) !== block) {
        block = Math.floor(at / BLOCK_BYTES)
        key = rc4(keyOf(block))
        used = 0
      }
      // What is not enciphered, heads of records among it, has its place in the key stream all the same.
      for (; used < at % BLOCK_BYTES; used += 1) key()
      used += 1
      const mask = key()
      if (at >= from + plain) stream[at] = (stream[at] ?? 0) ^ mask
    }
  }
}

/** Method 1, [MS-OFFCRYPTO] 2.3.7.1 to 2.3.7.3; the record states the key itself and a hash of the password. */
function xorCipher(stated: Buffer): BiffCipher | null {
  if (stated.readUInt16LE(2) !== passwordVerifier(Buffer.from(DEFAULT_PASSWORD, 'latin1'))) return null
  const padded = Buffer.concat([Buffer.from(DEFAULT_PASSWORD, 'latin1'), PAD]).subarray(0, 16)
  const mask = padded.map((byte, index) => rotated(byte ^ stated.readUInt8(index % 2), 7))
  return (stream, { from, end, plain }) => {
    for (let at = from + plain; at < end; at += 1) stream[at] = rotated((stream[at] ?? 0) ^ (mask[(at + end - from) % 16] ?? 0), 3)
  }
}

function passwordVerifier(password: Buffer): number {
  const sum = [password.length, ...password].reduceRight(
    (verifier, byte) => (((verifier >> 14) & 1) | ((verifier << 1) & 0x7fff)) ^ byte,
    0,
  )
  return sum ^ 0xce4b
}

/** To the left. */
function rotated(byte: number, bits: number): number {
  return ((byte << bits) | (byte >> (8 - bits))) & 0xff
}

function hashed(hash: string, ...pieces: Buffer[]): Buffer {
  const sum = createHash(hash)
  for (const piece of pieces) sum.update(piece)
  return sum.digest()
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

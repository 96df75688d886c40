/** Encrypts workbooks for tests, the way that [MS-OFFCRYPTO] says writers do. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import * as XLSX from 'xlsx'

type Hash = 'sha1' | 'sha512' | 'md5'

export const EXCELS_OWN = 'VelvetSweatshop'

/** 2.3.4.10 to 2.3.4.15, with the numbers that Excel writes. */
export function agile(plain: Buffer, password: string, spins = 100_000): Buffer {
  const [salt, ofPassword, secret, verifier] = [randomBytes(16), randomBytes(16), randomBytes(32), randomBytes(16)]
  let spun = digest('sha512', ofPassword, Buffer.from(password, 'utf16le'))
  for (let spin = 0; spin < spins; spin += 1) spun = digest('sha512', int32(spin), spun)
  const locked = (purpose: string, bytes: Buffer) =>
    cbc(digest('sha512', spun, Buffer.from(purpose, 'hex')).subarray(0, 32), ofPassword, bytes).toString('base64')
  const numbers = `blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512"`
  const xml = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><keyData saltSize="16" ${numbers} saltValue="${salt.toString('base64')}"/><keyEncryptors><keyEncryptor uri="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><p:encryptedKey spinCount="${spins}" saltSize="16" ${numbers} saltValue="${ofPassword.toString('base64')}" encryptedVerifierHashInput="${locked('fea7d2763b4b9e79', verifier)}" encryptedVerifierHashValue="${locked('d7aa0f6d3061344e', digest('sha512', verifier))}" encryptedKeyValue="${locked('146e0be7abacd0d6', secret)}"/></keyEncryptor></keyEncryptors></encryption>`
  const segments: Buffer[] = []
  for (let at = 0; at < plain.length; at += 4096)
    segments.push(cbc(secret, digest('sha512', salt, int32(at / 4096)), filled(plain.subarray(at, at + 4096))))
  return compound(Buffer.concat([Buffer.from('0400040040000000', 'hex'), Buffer.from(xml)]), plain, Buffer.concat(segments))
}

/** 2.3.4.5 to 2.3.4.9: AES of 128 bits, as Excel 2007 wrote it. */
export function standard(plain: Buffer, password: string): Buffer {
  const [salt, verifier] = [randomBytes(16), randomBytes(16)]
  let spun = digest('sha1', salt, Buffer.from(password, 'utf16le'))
  for (let spin = 0; spin < 50_000; spin += 1) spun = digest('sha1', int32(spin), spun)
  const block = Buffer.alloc(64, 0x36)
  for (const [index, byte] of digest('sha1', spun, int32(0)).entries()) block.writeUInt8(byte ^ 0x36, index)
  const key = digest('sha1', block).subarray(0, 16)
  const ecb = (bytes: Buffer) => createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(filled(bytes))
  const verified = Buffer.concat([int32(16), salt, ecb(verifier), int32(20), ecb(digest('sha1', verifier))])
  return compound(Buffer.concat([Buffer.from('0300020024000000', 'hex'), provider(0x24, 0x660e, 128), verified]), plain, ecb(plain))
}

export type XlsScheme = 'xor' | 'rc4' | 'rc4 of 128 bits' | 'rc4 of 40 bits'

/** [MS-XLS] 2.2.10: a workbook of Excel 97 to 2003, its records' data enciphered. */
export function protectedXls(plain: Buffer, password: string, scheme: XlsScheme): Buffer {
  const file = XLSX.CFB.read(plain, { type: 'buffer' })
  const entry = XLSX.CFB.find(file, 'Workbook') ?? XLSX.CFB.find(file, 'Book')
  if (entry === null) throw new Error('it has no stream of sheets')
  const stream = Buffer.from(entry.content)
  const { filePass, mask } = scheme === 'xor' ? xor(password, stream.readUInt16LE(4) === 0x0600) : rc4Scheme(password, scheme)
  const head = 4 + stream.readUInt16LE(2)
  const record = Buffer.concat([Buffer.from('2f00', 'hex'), int16(filePass.length), filePass])
  const moved = Buffer.concat([stream.subarray(0, head), record, stream.subarray(head)])
  for (let at = head + record.length; at + 4 <= moved.length; ) {
    const [id, length] = [moved.readUInt16LE(at), moved.readUInt16LE(at + 2)]
    if (id === 0x85) moved.writeUInt32LE(moved.readUInt32LE(at + 4) + record.length, at + 4)
    const plainBytes = [0x809, 0xe1].includes(id) ? length : id === 0x85 ? 4 : 0
    for (let byte = at + 4 + plainBytes; byte < at + 4 + length; byte += 1) moved[byte] = mask(moved.readUInt8(byte), byte, length, at + 4)
    at += 4 + length
  }
  entry.content = moved
  entry.size = moved.length
  return Buffer.from(XLSX.CFB.write(file, { type: 'buffer' }))
}

interface Scheme {
  filePass: Buffer
  mask(byte: number, at: number, length: number, recordAt: number): number
}

/** [MS-OFFCRYPTO] 2.3.7; for passwords of 15 characters. Readers take the key as it stands in the record. */
function xor(password: string, isBiff8: boolean): Scheme {
  const key = Buffer.from([0x5a, 0xc3])
  const padded = Buffer.concat([Buffer.from(password, 'latin1'), Buffer.from('bb', 'hex')])
  const keys = padded.map((byte, index) => turned(byte ^ (key[index % 2] ?? 0), 7))
  let verifier = 0
  for (const byte of [...Buffer.from(password, 'latin1')].reverse().concat(password.length))
    verifier = (((verifier & 0x4000) === 0 ? 0 : 1) | ((verifier * 2) & 0x7fff)) ^ byte
  const stated = Buffer.concat([key, int16(verifier ^ 0xce4b)])
  return {
    filePass: isBiff8 ? Buffer.concat([int16(0), stated]) : stated,
    mask: (byte, at, length, recordAt) => turned(byte, 5) ^ (keys[(recordAt + length + at - recordAt) % 16] ?? 0),
  }
}

function rc4Scheme(password: string, scheme: XlsScheme): Scheme {
  const [salt, verifier, text] = [randomBytes(16), randomBytes(16), Buffer.from(password, 'utf16le')]
  const hash: Hash = scheme === 'rc4' ? 'md5' : 'sha1'
  const short = digest('md5', text).subarray(0, 5)
  const mixed = digest('md5', ...Array.from({ length: 16 }, () => [short, salt]).flat()).subarray(0, 5)
  const ofPassword = digest('sha1', salt, text)
  const keyOf = (block: number): Buffer => {
    if (scheme === 'rc4') return digest('md5', mixed, int32(block))
    const key = digest('sha1', ofPassword, int32(block))
    return scheme === 'rc4 of 128 bits' ? key.subarray(0, 16) : Buffer.concat([key.subarray(0, 5)], 16)
  }
  const streams = new Map<number, Buffer>()
  const streamOf = (block: number): Buffer => {
    const known = streams.get(block) ?? keyStream(keyOf(block), 1024)
    streams.set(block, known)
    return known
  }
  const mask = (byte: number, at: number): number => byte ^ (streamOf(Math.floor(at / 1024))[at % 1024] ?? 0)
  const checked = Buffer.concat([verifier, digest(hash, verifier)]).map((byte, index) => mask(byte, index))
  const bits = scheme === 'rc4 of 128 bits' ? 128 : 40
  const filePass =
    scheme === 'rc4'
      ? Buffer.concat([Buffer.from('010001000100', 'hex'), salt, checked])
      : Buffer.concat([
          Buffer.from('01000200020004000000', 'hex'),
          provider(4, 0x6801, bits),
          int32(16),
          salt,
          checked.subarray(0, 16),
          int32(20),
          checked.subarray(16),
        ])
  return { filePass, mask }
}

function keyStream(key: Buffer, length: number): Buffer {
  const box = Array.from({ length: 256 }, (_, index) => index)
  const exchange = (left: number, right: number): void => {
    const kept = box[left] ?? 0
    box[left] = box[right] ?? 0
    box[right] = kept
  }
  let j = 0
  for (let i = 0; i < 256; i += 1) {
    j = (j + (box[i] ?? 0) + (key[i % key.length] ?? 0)) % 256
    exchange(i, j)
  }
  let i = 0
  j = 0
  return Buffer.from(
    Array.from({ length }, () => {
      i = (i + 1) % 256
      j = (j + (box[i] ?? 0)) % 256
      exchange(i, j)
      return box[((box[i] ?? 0) + (box[j] ?? 0)) % 256] ?? 0
    }),
  )
}

/** Its length and a header of encryption, 2.3.2. */
function provider(flags: number, cipher: number, bits: number): Buffer {
  const name = Buffer.from('Microsoft Enhanced Cryptographic Provider v1.0\0', 'utf16le')
  const numbers = [flags, 0, cipher, 0x8004, bits, cipher === 0x6801 ? 1 : 24, 0, 0].map(int32)
  return Buffer.concat([int32(32 + name.length), ...numbers, name])
}

function compound(description: Buffer, plain: Buffer, enciphered: Buffer): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(plain.length))
  const file = XLSX.CFB.utils.cfb_new()
  XLSX.CFB.utils.cfb_add(file, '/EncryptionInfo', description)
  XLSX.CFB.utils.cfb_add(file, '/EncryptedPackage', Buffer.concat([size, enciphered]))
  return Buffer.from(XLSX.CFB.write(file, { type: 'buffer' }))
}

function cbc(key: Buffer, start: Buffer, bytes: Buffer): Buffer {
  return createCipheriv('aes-256-cbc', key, start.subarray(0, 16)).setAutoPadding(false).update(bytes)
}

function digest(hash: Hash, ...pieces: Buffer[]): Buffer {
  return createHash(hash).update(Buffer.concat(pieces)).digest()
}

/** Up to whole blocks. */
function filled(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], Math.ceil(bytes.length / 16) * 16)
}

function turned(byte: number, bits: number): number {
  return ((byte << bits) | (byte >> (8 - bits))) & 255
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function int16(value: number): Buffer {
  return int32(value).subarray(0, 2)
}

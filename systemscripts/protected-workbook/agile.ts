import { createDecipheriv, createHash } from 'node:crypto'
import { type XmlElement, xmlElements } from '../spreadsheet/xlsx/xml-elements.ts'
import { XmlError } from '../spreadsheet/xlsx/xml-tokens.ts'
import { DEFAULT_PASSWORD, type SegmentCipher, spinHash } from './segment-cipher.ts'

// What each derived key is for, [MS-OFFCRYPTO] 2.3.4.13.
const VERIFIER_INPUT = Buffer.from('fea7d2763b4b9e79', 'hex')
const VERIFIER_HASH = Buffer.from('d7aa0f6d3061344e', 'hex')
const PACKAGE_KEY = Buffer.from('146e0be7abacd0d6', 'hex')
const HASHES = ['md5', 'sha1', 'sha256', 'sha384', 'sha512']
const PADDING = 0x36
/** Excel writes 100,000; the specification allows a hundred times as much, which takes half a minute. */
const MOST_SPINS = 1_000_000

interface Scheme {
  algorithm: string
  hash: string
  keyBytes: number
  salt: Buffer
}

/** Of a package by its description in XML, [MS-OFFCRYPTO] 2.3.4.10; null when the default password is not its own, or the cipher another than AES. */
export function agileCipher(xml: string): SegmentCipher | null {
  const elements = described(xml)
  const password = elements.find(({ name }) => name === 'encryptedKey')
  const data = elements.find(({ name }) => name === 'keyData')
  if (password === undefined || data === undefined) return null
  const locked = schemeOf(password)
  const scheme = schemeOf(data)
  const spins = Number(password.attribute('spinCount'))
  if (locked === null || scheme === null || !Number.isInteger(spins) || spins > MOST_SPINS) return null
  const passwordHash = spun(locked, spins)
  const verifier = unlocked(locked, passwordHash, VERIFIER_INPUT, bytesOf(password, 'encryptedVerifierHashInput'))
  const verifierHash = unlocked(locked, passwordHash, VERIFIER_HASH, bytesOf(password, 'encryptedVerifierHashValue'))
  const expected = hashed(locked.hash, verifier.subarray(0, locked.salt.length))
  if (!verifierHash.subarray(0, expected.length).equals(expected)) return null
  const key = unlocked(locked, passwordHash, PACKAGE_KEY, bytesOf(password, 'encryptedKeyValue')).subarray(0, scheme.keyBytes)
  return (segment, bytes) => decipher(scheme, key, hashed(scheme.hash, scheme.salt, int32(segment)), bytes)
}

function described(xml: string): XmlElement[] {
  try {
    return [...xmlElements(xml)]
  } catch (error) {
    if (error instanceof XmlError) return []
    throw error
  }
}

function schemeOf(element: XmlElement): Scheme | null {
  const hash = (element.attribute('hashAlgorithm') ?? '').replace('-', '').toLowerCase()
  const keyBits = Number(element.attribute('keyBits'))
  const isKnown =
    element.attribute('cipherAlgorithm') === 'AES' &&
    element.attribute('cipherChaining') === 'ChainingModeCBC' &&
    [128, 192, 256].includes(keyBits) &&
    HASHES.includes(hash)
  return isKnown ? { algorithm: `aes-${keyBits}-cbc`, hash, keyBytes: keyBits / 8, salt: bytesOf(element, 'saltValue') } : null
}

function bytesOf(element: XmlElement, name: string): Buffer {
  return Buffer.from(element.attribute(name) ?? '', 'base64')
}

function spun({ hash, salt }: Scheme, spins: number): Buffer {
  return spinHash(hash, hashed(hash, salt, Buffer.from(DEFAULT_PASSWORD, 'utf16le')), spins)
}

function unlocked(scheme: Scheme, passwordHash: Buffer, purpose: Buffer, bytes: Buffer): Buffer {
  return decipher(scheme, sized(hashed(scheme.hash, passwordHash, purpose), scheme.keyBytes), scheme.salt, bytes)
}

/** What is no whole number of blocks is cut: then no verifier agrees. */
function decipher({ algorithm }: Scheme, key: Buffer, start: Buffer, bytes: Buffer): Buffer {
  const cipher = createDecipheriv(algorithm, key, sized(start, 16)).setAutoPadding(false)
  return cipher.update(bytes.subarray(0, bytes.length - (bytes.length % 16)))
}

function hashed(hash: string, ...pieces: Buffer[]): Buffer {
  const sum = createHash(hash)
  for (const piece of pieces) sum.update(piece)
  return sum.digest()
}

function sized(bytes: Buffer, length: number): Buffer {
  return bytes.length >= length ? bytes.subarray(0, length) : Buffer.concat([bytes], length).fill(PADDING, bytes.length)
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** What a cryptographic provider of Windows was asked for, and by what its password is known. */
export interface CipherDescription {
  /** Number of the cipher: 0x6801 RC4, 0x660e to 0x6610 AES. */
  algorithm: number
  keyBits: number
  salt: Buffer
  verifier: Buffer
  verifierHash: Buffer
}

/**
 * Version, header and verifier, as they begin a stream `EncryptionInfo` and follow the kind of cipher in a FilePass record: [MS-OFFCRYPTO] 2.3.2,
 * 2.3.3. Null when it is cut off.
 */
export function cipherDescription(bytes: Buffer): CipherDescription | null {
  if (bytes.length < 12) return null
  const header = 12
  const verifier = header + bytes.readUInt32LE(8)
  if (verifier < header + 20 || bytes.length < verifier + 4 + 16 + 16 + 4 + 20) return null
  return {
    algorithm: bytes.readUInt32LE(header + 8),
    // 0 stands for 40 bits.
    keyBits: bytes.readUInt32LE(header + 16) || 40,
    salt: bytes.subarray(verifier + 4, verifier + 20),
    verifier: bytes.subarray(verifier + 20, verifier + 36),
    verifierHash: bytes.subarray(verifier + 40),
  }
}

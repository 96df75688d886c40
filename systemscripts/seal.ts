import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { PermanentError } from './errors.ts'

/** What seals secrets and opens them again. */
export interface SecretKey {
  /**
   * @param name bound to the secret, so that a sealed value opens under its own name only.
   * @returns version byte 1, salt (16 bytes), nonce (12), tag (16), encrypted text.
   */
  seal(name: string, text: string): Promise<Buffer>
  /** @throws PermanentError `secret_unreadable`: another key, another name, or changed bytes. */
  unseal(name: string, sealed: Uint8Array): Promise<string>
}

/**
 * A key from text: 32 bytes in hexadecimal or base64, as `openssl rand -base64 32` makes them, or a passphrase. AES-256-GCM; each
 * process that seals derives its own key with a random salt: from 32 bytes by HKDF, from a passphrase by scrypt (32 MB, 0.1 s, once per
 * salt), which makes guessing costly.
 *
 * Sources: NIST SP 800-38D (GCM), RFC 5869 (HKDF), RFC 7914 (scrypt).
 *
 * @throws PermanentError `secret_key_too_short`
 */
export function secretKeyOf(text: string): SecretKey {
  const material = text.trim()
  if (material.length < shortestPassphrase) {
    throw new PermanentError('secret_key_too_short', `The secret key has ${material.length} characters`, {
      detail: `A passphrase needs ${shortestPassphrase} or more.`,
      hint: 'Set ROTA_SECRET_KEY to the output of: openssl rand -base64 32',
    })
  }
  const derived = new Map<string, Promise<Buffer>>()
  const keyFor = (salt: Uint8Array): Promise<Buffer> => {
    const id = Buffer.from(salt).toString('hex')
    const known = derived.get(id) ?? derive(material, salt)
    derived.set(id, known)
    return known
  }
  const ownSalt = randomBytes(saltBytes)
  return {
    seal: async (name, secret) => encrypt(await keyFor(ownSalt), ownSalt, name, secret),
    unseal: async (name, sealed) => {
      if (sealed.length < headerBytes || sealed[0] !== version) throw unreadable(name)
      return decrypt(await keyFor(sealed.subarray(1, 1 + saltBytes)), name, sealed)
    },
  }
}

const shortestPassphrase = 16
const version = 1
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16
const headerBytes = 1 + saltBytes + nonceBytes + tagBytes
const purpose = 'rota secret'

const stretch: (password: string, salt: Uint8Array, length: number, options: object) => Promise<Buffer> = promisify(scrypt)

async function derive(material: string, salt: Uint8Array): Promise<Buffer> {
  const full = fullEntropyBytes(material)
  if (full !== null) return Buffer.from(hkdfSync('sha256', full, salt, purpose, 32))
  return stretch(material, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 })
}

/** The 32 bytes that the text spells; null when it is a passphrase. */
function fullEntropyBytes(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, 'base64')
  return null
}

function encrypt(key: Buffer, salt: Buffer, name: string, secret: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(boundTo(name))
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(version), salt, nonce, cipher.getAuthTag(), text])
}

function decrypt(key: Buffer, name: string, sealed: Uint8Array): string {
  const nonceEnd = 1 + saltBytes + nonceBytes
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1 + saltBytes, nonceEnd))
  decipher.setAAD(boundTo(name))
  decipher.setAuthTag(sealed.subarray(nonceEnd, headerBytes))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headerBytes)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

function boundTo(name: string): Buffer {
  return Buffer.from(`${purpose} ${version} ${name}`, 'utf8')
}

function unreadable(name: string, cause?: unknown): PermanentError {
  return new PermanentError('secret_unreadable', `Secret "${name}" cannot be opened with the key of this machine`, {
    detail: 'It was sealed with another key, or its row was renamed or changed.',
    hint: `Give every machine the same ROTA_SECRET_KEY (where none is set, the text of secret.key in the data folder of the machine that sealed it), or set the secret again: rota secret set ${name}.`,
    cause,
  })
}

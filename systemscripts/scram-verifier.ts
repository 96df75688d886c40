import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * What Postgres stores for a password, so that `alter role … password` carries no clear text over the wire or into the server's log.
 * For passwords of ASCII letters, digits and signs, which need no Unicode preparation.
 *
 * Source: RFC 5802 and RFC 7677 (SCRAM-SHA-256); the text form is Postgres's own, see "pg_authid" in its manual.
 */
export async function scramVerifier(password: string): Promise<string> {
  return verifierWith(password, randomBytes(16), iterations)
}

/** Whether a role's stored verifier (`pg_authid.rolpassword`) is that of a password; false for verifiers of another kind. */
export async function isVerifierOf(verifier: string, password: string): Promise<boolean> {
  const parts = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/.exec(verifier)
  if (parts?.[1] === undefined || parts[2] === undefined) return false
  const own = Buffer.from(await verifierWith(password, Buffer.from(parts[2], 'base64'), Number(parts[1])))
  const stored = Buffer.from(verifier)
  return own.length === stored.length && timingSafeEqual(own, stored)
}

/** Postgres's default (scram_iterations). */
const iterations = 4096

const derive = promisify(pbkdf2)

async function verifierWith(password: string, salt: Buffer, rounds: number): Promise<string> {
  const salted = await derive(password, salt, rounds, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${rounds}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}

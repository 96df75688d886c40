import { hash } from 'node:crypto'

/** Deciphers the segment of that number, from 0: 4096 bytes, the last one fewer, whole blocks of 16 always. */
export type SegmentCipher = (segment: number, bytes: Buffer) => Buffer

export const SEGMENT_BYTES = 4096

/** Under it Excel protects what it opens without asking: [MS-OFFCRYPTO] 2.4.2.3 (a workbook of which only the structure is protected). */
export const DEFAULT_PASSWORD = 'VelvetSweatshop'

/** Hashes a hash so many times, its number before it each time: what makes trying passwords slow. */
export function spinHash(algorithm: string, first: Buffer, spins: number): Buffer {
  const numbered = Buffer.concat([Buffer.alloc(4), first])
  for (let spin = 0; spin < spins; spin += 1) {
    numbered.writeUInt32LE(spin)
    hash(algorithm, numbered, 'buffer').copy(numbered, 4)
  }
  return numbered.subarray(4)
}

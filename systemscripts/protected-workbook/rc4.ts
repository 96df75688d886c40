/** RC4 (ARC4), byte by byte; OpenSSL keeps it out of what it offers by default. Gives the next byte of the key stream. */
export function rc4(key: Uint8Array): () => number {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index)
  for (let index = 0, other = 0; index < 256; index += 1) {
    other = (other + at(state, index) + at(key, index % key.length)) & 255
    swap(state, index, other)
  }
  let left = 0
  let right = 0
  return () => {
    left = (left + 1) & 255
    right = (right + at(state, left)) & 255
    swap(state, left, right)
    return at(state, (at(state, left) + at(state, right)) & 255)
  }
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}

function swap(bytes: Uint8Array, left: number, right: number): void {
  const byte = at(bytes, left)
  bytes[left] = at(bytes, right)
  bytes[right] = byte
}

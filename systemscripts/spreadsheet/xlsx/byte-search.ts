export const LESS = 0x3c
const UNDERSCORE = 0x5f
const LETTER_X = 0x78

/** By byte: 0 for what stands in a text and means what it says. Entities, line ends of two kinds and letters beyond ASCII do not. */
const STOPS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 || '\0\r&<_'.includes(String.fromCharCode(byte)) ? 1 : 0,
)

/**
 * Place of the first byte that is no plain text: of a `<`, or of what needs a closer look, such as `&` or `_x000D_`, or of the zero behind the
 * last byte.
 */
export function plainEnd(bytes: Buffer, from: number): number {
  for (let at = from; ; at += 1) {
    const byte = bytes[at] ?? 0
    if (STOPS[byte] === 1 && (byte !== UNDERSCORE || bytes[at + 1] === LETTER_X)) return at
  }
}

/** Whether the word stands there. */
export function stands(word: Uint8Array, bytes: Buffer, at: number): boolean {
  for (let index = 0; index < word.length; index += 1) if (bytes[at + index] !== word[index]) return false
  return true
}

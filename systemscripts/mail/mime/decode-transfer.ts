/**
 * Bytes of a part without their transfer encoding, as they come; memory does not grow with the part. Base64 with characters that are none
 * (blanks, line ends, advertisements of mail gateways, several padded pieces) is read without them; quoted-printable with wrong escapes
 * leaves those as they stand. Anything else is given as it is.
 *
 * Source: RFC 2045, 6.7 and 6.8.
 */
export function decodeTransfer(bytes: AsyncIterable<Buffer>, encoding: string): AsyncIterable<Buffer> {
  if (encoding === 'base64') return decodeBase64(bytes, sextets('+/'))
  if (encoding === 'base64url') return decodeBase64(bytes, sextets('-_'))
  if (encoding === 'quoted-printable') return decodeQuotedPrintable(bytes)
  return bytes
}

const CLEAN_BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}\s*$/

/** The same for a part that is here as a whole: Node reads base64 that is clean several times as fast as it is read byte by byte. */
export async function decodeWhole(bytes: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === 'base64') {
    const text = bytes.toString('latin1')
    if (CLEAN_BASE64.test(text)) return Buffer.from(text, 'base64')
  }
  return Buffer.concat(await Array.fromAsync(decodeTransfer(just(bytes), encoding)))
}

async function* just(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** What each byte stands for; 64 ends a piece, 255 is nothing. */
function sextets(last: string): Uint8Array {
  const table = new Uint8Array(256).fill(255)
  const alphabet = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${last}=`
  for (let at = 0; at < alphabet.length; at += 1) table[alphabet.charCodeAt(at)] = at
  return table
}

/** By bytes rather than by text: that leaves nothing to be collected but what it gives. */
async function* decodeBase64(bytes: AsyncIterable<Buffer>, table: Uint8Array): AsyncGenerator<Buffer> {
  let bits = 0
  let count = 0
  for await (const piece of bytes) {
    const decoded = Buffer.allocUnsafe(Math.ceil(((piece.length + 4) * 3) / 4))
    let length = 0
    for (let at = 0; at < piece.length; at += 1) {
      // Nearly always four characters follow each other that are three bytes.
      while (count === 0 && at + 4 <= piece.length) {
        const [a, b, c, d] = [
          table[piece[at] ?? 0] ?? 255,
          table[piece[at + 1] ?? 0] ?? 255,
          table[piece[at + 2] ?? 0] ?? 255,
          table[piece[at + 3] ?? 0] ?? 255,
        ]
        if ((a | b | c | d) > 63) break
        decoded[length] = (a << 2) | (b >> 4)
        decoded[length + 1] = (b << 4) | (c >> 2)
        decoded[length + 2] = (c << 6) | d
        length += 3
        at += 4
      }
      if (at === piece.length) break
      const sextet = table[piece[at] ?? 0] ?? 255
      if (sextet > 64) continue
      if (sextet < 64) {
        bits = (bits << 6) | sextet
        count += 1
        if (count < 4) continue
      }
      // Four are three bytes; padding ends a piece with fewer, in the middle too where pieces were encoded one by one.
      bits <<= 6 * (4 - count)
      for (let shift = 16; shift > 16 - 8 * (count - 1); shift -= 8) {
        decoded[length] = (bits >> shift) & 255
        length += 1
      }
      bits = 0
      count = 0
    }
    if (length > 0) yield decoded.subarray(0, length)
  }
  if (count > 1) yield Buffer.of((bits >> (6 * count - 8)) & 255, (bits >> (6 * count - 16)) & 255).subarray(0, count - 1)
}

async function* decodeQuotedPrintable(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = ''
  for await (const piece of bytes) {
    const text = rest + piece.toString('latin1')
    // An escape, or blanks that may turn out to end the line, may go on in the next piece.
    const open = /(?:=[0-9a-f]?|=?[ \t]+\r?|=?\r)$/i.exec(text.slice(-1000))?.[0].length ?? 0
    rest = text.slice(text.length - open)
    const whole = plainText(text.slice(0, text.length - open))
    if (whole !== '') yield Buffer.from(whole, 'latin1')
  }
  const end = plainText(rest.replace(/=\s*$|[ \t]+$/, ''))
  if (end !== '') yield Buffer.from(end, 'latin1')
}

function plainText(text: string): string {
  return text
    .replace(/[ \t]+(?=\r?\n)/g, '')
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

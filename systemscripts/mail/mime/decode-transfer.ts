/**
 * Bytes of a part without their transfer encoding, as they come; memory does not grow with the part. Base64 with characters that are none
 * (blanks, line ends, advertisements of mail gateways, several padded pieces) is read without them; quoted-printable with wrong escapes
 * leaves those as they stand. Anything else is given as it is.
 *
 * Source: RFC 2045, 6.7 and 6.8.
 */
export function decodeTransfer(bytes: AsyncIterable<Buffer>, encoding: string): AsyncIterable<Buffer> {
  if (encoding === 'base64') return decodeBase64(bytes)
  if (encoding === 'quoted-printable') return decodeQuotedPrintable(bytes)
  return bytes
}

async function* decodeBase64(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = ''
  for await (const piece of bytes) {
    const text = rest + piece.toString('latin1').replace(/[^A-Za-z0-9+/=]+/g, '')
    const whole = text.length - (text.length % 4)
    const ended = text.indexOf('=')
    if (ended === -1 || ended >= whole) {
      rest = text.slice(whole)
      if (whole > 0) yield Buffer.from(text.slice(0, whole), 'base64')
    } else {
      // Padding in the middle: pieces that were encoded one by one and put together.
      const pieces = text.split(/=+/)
      rest = text.endsWith('=') ? '' : (pieces.pop() ?? '')
      for (const one of pieces) if (one !== '') yield Buffer.from(one, 'base64')
    }
  }
  if (rest.length > 1) yield Buffer.from(rest.replace(/=+/g, ''), 'base64')
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

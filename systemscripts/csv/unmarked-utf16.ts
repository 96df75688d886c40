/**
 * Which UTF-16 a text without a byte order mark is, by its first bytes; null when it is none. Delimiters, digits and line ends leave NULs, always
 * on the same side: in every second byte of Western text; in few of Cyrillic or Chinese, and then those beside line ends tell.
 */
export function unmarkedUtf16(head: Buffer): 'utf-16le' | 'utf-16be' | null {
  const nuls: [even: number, odd: number] = [0, 0]
  let lineEnds = 0
  for (let at = 0; at < head.length; at += 1) {
    if (head[at] !== 0) continue
    if (at % 2 === 0) nuls[0] += 1
    else nuls[1] += 1
    const beside = head[at ^ 1]
    if (beside === 10 || beside === 13) lineEnds += 1
  }
  const [even, odd] = nuls
  const most = Math.max(even, odd)
  if (most === 0 || Math.min(even, odd) > 0) return null
  if (most <= head.length / 8 && (lineEnds === 0 || most < head.length / 100)) return null
  return even === 0 ? 'utf-16le' : 'utf-16be'
}

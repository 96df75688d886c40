/** Message numbers as IMAP writes them, neighbours put together: `1:3,7`. */
export function uidSet(uids: number[]): string {
  const sorted = [...new Set(uids)].sort((left, right) => left - right)
  const ranges: [from: number, to: number][] = []
  for (const uid of sorted) {
    const last = ranges.at(-1)
    if (last && last[1] === uid - 1) last[1] = uid
    else ranges.push([uid, uid])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}:${to}`)).join(',')
}

/** `items` in pieces of at most `size`. */
export function batchesOf<T>(items: T[], size: number): T[][] {
  const batches: T[][] = []
  for (let at = 0; at < items.length; at += size) batches.push(items.slice(at, at + size))
  return batches
}

/** A new column and a missing one that are probably the same. */
export interface Rename {
  /** Column of the file. */
  from: string
  /** Column of the target. */
  to: string
  reason: string
}

/** A file whose columns are all other ones is no renaming, and comparing is quadratic. */
const MOST_COMPARED = 50

/**
 * Pairs new columns with missing ones: names that differ in a third of their letters at most, and columns that stand at the same place between
 * the same neighbours. Each is paired once, the closest names first.
 *
 * @param fileColumns all columns of the file by the names under which they are loaded, in order
 * @param targetColumns all columns that files fill, in order
 */
export function likelyRenames(unknown: string[], missing: string[], fileColumns: string[], targetColumns: string[]): Rename[] {
  const candidates = unknown.slice(0, MOST_COMPARED).flatMap((from) =>
    missing.slice(0, MOST_COMPARED).map((to) => ({
      from,
      to,
      distance: editDistance(plain(from), plain(to)),
      longest: Math.max(plain(from).length, plain(to).length),
    })),
  )
  const close = candidates
    .filter(({ distance, longest }) => longest > 2 && distance * 3 <= longest)
    .sort((a, b) => a.distance - b.distance)
    .map(({ from, to }) => ({ from, to, reason: 'the names are much alike' }))
  const placed = candidates
    .filter(({ from, to }) => haveSameNeighbours(from, to, fileColumns, targetColumns))
    .map(({ from, to }) => ({ from, to, reason: 'it stands at the same place' }))
  const taken = new Set<string>()
  return [...close, ...placed].filter(({ from, to }) => {
    if (taken.has(`f ${from}`) || taken.has(`t ${to}`)) return false
    taken.add(`f ${from}`).add(`t ${to}`)
    return true
  })
}

/** As a sentence for a detail or a hint; '' when there is none. */
export function renamesInWords(renames: Rename[]): string {
  return renames.map(({ from, to, reason }) => `"${from}" may be a new name of "${to}": ${reason}.`).join(' ')
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

function haveSameNeighbours(from: string, to: string, fileColumns: string[], targetColumns: string[]): boolean {
  const [at, place] = [fileColumns.indexOf(from), targetColumns.indexOf(to)]
  return at === place && fileColumns[at - 1] === targetColumns[place - 1] && fileColumns[at + 1] === targetColumns[place + 1]
}

/** Letters to insert, delete or replace. https://en.wikipedia.org/wiki/Levenshtein_distance */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

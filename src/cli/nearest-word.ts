/**
 * The known word that was probably meant: the fewest letters changed, added, left out or swapped, a third of the word at most.
 * Edit distance after Damerau (optimal string alignment).
 *
 * @returns null when none is near.
 */
export function nearestWord(wanted: string, known: readonly string[]): string | null {
  const ranked = known
    .map((word) => ({ word, distance: distanceOf(wanted.toLowerCase(), word.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance)
  const best = ranked[0]
  if (best === undefined) return null
  const limit = Math.max(1, Math.floor(Math.max(wanted.length, best.word.length) / 3))
  return best.distance <= limit ? best.word : null
}

function distanceOf(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const change = from[row - 1] === to[column - 1] ? 0 : 1
      const swap =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
          ? (beforeLast[column - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY
      current[column] = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + change, swap)
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}

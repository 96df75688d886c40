export interface Point {
  x: number
  /** Null: a gap. */
  y: number | null
}

/** About two for each pixel of width on a sharp screen. */
export const MOST_POINTS = 1500

/** How many neighbours become one lowest and one highest; 1: all points are drawn. */
export function bucketSize(points: number): number {
  return points <= MOST_POINTS ? 1 : Math.ceil((2 * points) / MOST_POINTS)
}

/**
 * Fewer points that draw the same line: of each `size` neighbours the lowest and the highest, in their order, so that no spike is lost and none is made
 * up; the first and the last point of all; and a gap where there is one among them.
 */
export function thin(places: readonly number[], values: readonly (number | null)[], size: number): Point[] {
  const points = places.map((x, at): Point => ({ x, y: values[at] ?? null }))
  if (size <= 1) return points
  const kept: Point[] = []
  for (let from = 0; from < points.length; from += size) {
    const bucket = points.slice(from, from + size)
    const wanted = new Set([lowest(bucket), highest(bucket), bucket.find(({ y }) => y === null)])
    if (from === 0) wanted.add(bucket[0])
    if (from + size >= points.length) wanted.add(bucket.at(-1))
    kept.push(...bucket.filter((point) => wanted.has(point)))
  }
  return kept
}

function lowest(points: readonly Point[]): Point | undefined {
  return extreme(points, (y, best) => y < best)
}

function highest(points: readonly Point[]): Point | undefined {
  return extreme(points, (y, best) => y > best)
}

function extreme(points: readonly Point[], isBetter: (y: number, best: number) => boolean): Point | undefined {
  let best: Point | undefined
  for (const point of points) if (point.y !== null && (best?.y == null || isBetter(point.y, best.y))) best = point
  return best
}

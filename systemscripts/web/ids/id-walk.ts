import type { IdSpec } from './id-spec.ts'

/** How far a walk came, to be stored as JSON. */
export interface IdCursor {
  /** Place of the first id that is not finished, from 0. */
  position: number
  /** Its id, by which a list that has changed since is entered again. Null at the end. */
  id: string | null
  /** Places behind it that are finished all the same. */
  finished: number[]
  /** Place of the last hit of a frontier; null: none yet. */
  lastHit: number | null
}

export interface IdWalk {
  /**
   * The next id; null when there is no more. At the edge of a frontier it waits until it is known how the ids under way turned out.
   * @throws the signal's reason
   */
  next(signal: AbortSignal): Promise<string | null>
  /** How one turned out. Only what is finished is not given again after an interruption. */
  finish(id: string, isHit: boolean): void
  cursor(): IdCursor
  /** How many there are; null for a frontier, of which nobody knows. */
  total: number | null
  /** Finished so far, earlier walks included. */
  done(): number
}

/**
 * Gives ids one after the other to any number of takers, and knows at any time where to go on. A walk that begins with the cursor of another
 * gives every id that the other one did not finish, and none that it did.
 */
export function walkIds(spec: IdSpec, from: IdCursor | null = null): IdWalk {
  const start = startOf(spec, from)
  const total = sizeOf(spec)
  const finished = new Set(start.finished)
  const places = new Map<string, number>()
  let first = start.position
  let ahead = first
  let lastHit = start.lastHit
  let waiting: (() => void)[] = []

  return {
    total,
    async next(signal) {
      for (;;) {
        signal.throwIfAborted()
        while (finished.has(ahead)) ahead += 1
        if (ahead < limit()) {
          const id = idAt(spec, ahead)
          places.set(id, ahead)
          ahead += 1
          return id
        }
        if (total !== null || places.size === 0) return null
        await finishing(signal)
      }
    },
    finish(id, isHit) {
      const place = places.get(id)
      if (place === undefined) return
      places.delete(id)
      finished.add(place)
      if (isHit) lastHit = Math.max(lastHit ?? place, place)
      while (finished.delete(first)) first += 1
      ahead = Math.max(ahead, first)
      const woken = waiting
      waiting = []
      for (const go of woken) go()
    },
    cursor: () => ({
      position: first,
      id: total === null || first < total ? idAt(spec, first) : null,
      finished: [...finished].sort((left, right) => left - right),
      lastHit,
    }),
    done: () => first + finished.size,
  }

  /** Where a taker must stop for now. */
  function limit(): number {
    return spec.kind === 'frontier' ? (lastHit ?? -1) + 1 + spec.misses : (total ?? 0)
  }

  function finishing(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', go)
        resolve()
      }
      signal.addEventListener('abort', go, { once: true })
      waiting.push(go)
    })
  }
}

/** A list may have changed since: it is entered at the same id, or from its beginning when that is gone. */
function startOf(spec: IdSpec, from: IdCursor | null): Omit<IdCursor, 'id'> {
  if (from === null) return { position: 0, finished: [], lastHit: null }
  if (spec.kind !== 'list' || from.id === null || spec.ids[from.position] === from.id) return from
  const position = spec.ids.indexOf(from.id)
  return { position: Math.max(position, 0), finished: [], lastHit: null }
}

function sizeOf(spec: IdSpec): number | null {
  if (spec.kind === 'list') return spec.ids.length
  return spec.kind === 'range' ? Number((spec.last - spec.first) / spec.step) + 1 : null
}

function idAt(spec: IdSpec, place: number): string {
  if (spec.kind === 'list') return spec.ids[place] ?? ''
  const step = spec.kind === 'range' ? spec.step : 1n
  return (spec.first + BigInt(place) * step).toString().padStart(spec.width, '0')
}

/** Carries work out, some of it at the same time. */
export interface AtOnce {
  /** Begins work as soon as there is room, and returns then. @throws what earlier work threw */
  add(work: () => Promise<void>): Promise<void>
  /** Waits for all of it. @throws the first that was thrown */
  end(): Promise<void>
}

export function atOnce(most: number): AtOnce {
  const going = new Set<Promise<void>>()
  let failure: { error: unknown } | null = null
  return {
    async add(work) {
      while (going.size >= most) await Promise.race(going)
      if (failure !== null) throw failure.error
      const one: Promise<void> = work()
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => going.delete(one))
      going.add(one)
    },
    async end() {
      await Promise.all(going)
      if (failure !== null) throw failure.error
    },
  }
}

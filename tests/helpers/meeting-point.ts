/** For so many that are to be at the same point at once: whoever comes waits there until all have come. */
export function meetingPoint(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let come = 0
  return async () => {
    come += 1
    if (come === count) resolve()
    await promise
  }
}

/** The part of a test's context that these helpers need. */
export interface Ending {
  after(end: () => Promise<void>): void
}

/**
 * Registers what must end last: Node runs a test's `after` functions in the order they were registered, so a database that a test
 * opens first would otherwise be gone before the worker that uses it is stopped.
 */
export function afterEverything(t: Ending, end: () => Promise<void>): void {
  t.after(async () => t.after(end))
}

/**
 * Many small works as few large ones: what is asked for while one is under way goes together into the next. Each caller waits for its own, and
 * all of a batch share what it throws.
 */
export function createBatches<Item, Done>(work: (items: Item[]) => Promise<Done>): (item: Item) => Promise<Done> {
  let waiting: { item: Item; resolve(done: Done): void; reject(error: unknown): void }[] = []
  let isWorking = false

  async function run(): Promise<void> {
    isWorking = true
    // What is asked for in the same turn of the loop goes along.
    await new Promise(setImmediate)
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        const done = await work(batch.map(({ item }) => item))
        for (const { resolve } of batch) resolve(done)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isWorking = false
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isWorking) void run()
    })
}

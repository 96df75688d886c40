/** Takes queued runs into the free places of a worker, lane by lane. */
import type { Pool } from 'pg'
import { type ClaimedRun, claimRuns } from '../control-plane/runs.ts'
import { inTransaction } from '../control-plane/transaction.ts'
import type { Queue } from './queue.ts'

export interface RunTaker {
  /** Fills the free places until nothing is left to take. May be called at any time; at work already, it looks once more. */
  fill(): void
  /** Resolves when what is being claimed at this moment has begun. */
  settled(): Promise<void>
}

interface RunTakerDeps {
  control: Pool
  queue: Queue
  worker: string
  lanes: string[]
  /** Runs that may begin now; 0 or less: none. */
  freePlaces(): number
  begin(claimed: ClaimedRun): void
  /** It is tried again at the next call. */
  onError(error: unknown): void
}

export function createRunTaker({ control, queue, worker, lanes, freePlaces, begin, onError }: RunTakerDeps): RunTaker {
  const lanesInTurn = [...lanes]
  let filling: Promise<void> | undefined
  let mustLook = false

  async function takeAll(): Promise<void> {
    try {
      while (mustLook) {
        mustLook = false
        for (const lane of [...lanesInTurn]) await takeFrom(lane)
      }
    } catch (error) {
      onError(error)
    } finally {
      filling = undefined
    }
  }

  async function takeFrom(lane: string): Promise<void> {
    const free = freePlaces()
    if (free <= 0) return
    const claimed = await inTransaction(control, async (client) => {
      const messages = await queue.take(client, lane, free)
      if (messages.length === 0) return null
      const runs = await claimRuns(client, worker, messages)
      // A message whose run is no longer queued has nothing to say any more.
      await queue.drop(
        client,
        lane,
        messages.map((message) => message.messageId),
      )
      return runs
    })
    if (claimed === null) return
    // The lane comes last next time, so that a long backlog in one does not shut out the others.
    lanesInTurn.push(...lanesInTurn.splice(lanesInTurn.indexOf(lane), 1))
    for (const run of claimed) begin(run)
    mustLook = true
  }

  return {
    fill() {
      mustLook = true
      filling ??= takeAll()
    },
    settled: async () => await filling,
  }
}

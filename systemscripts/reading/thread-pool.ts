import { Worker } from 'node:worker_threads'
import type { ThreadAnswer, ThreadWord } from './protocol.ts'

/** A reading thread, lent to one reader at a time. */
export interface ReadingThread {
  tell(word: ThreadWord): void
  /** The next answer. @throws what the thread died of */
  answer(): Promise<ThreadAnswer>
  /** Ends the thread at once, whatever it does; waiting answers are refused with `reason`. */
  end(reason: unknown): Promise<void>
  /** Keeps it for the next file. Only for a thread that has closed what it read. */
  giveBack(heapBytes: number): void
}

/** Thrown when the thread has gone and left no word. */
export class ThreadLost extends Error {
  override name = 'ThreadLost'
}

const KEPT_THREADS = 2
/** A thread that still holds more than this after its file is not kept. */
const KEPT_HEAP_BYTES = 256 * 1024 * 1024

/** What is read lives shortly: with V8's own choice the same work takes 100 MB more, with less hardly less. */
const YOUNG_MB = 16

const kept: { memoryMb: number; thread: ReadingThread }[] = []

/**
 * A thread whose heap is limited to so many MB; one that is kept, if there is. Loading the modules anew costs 50 to 100 ms. A thread keeps the
 * process alive only while an answer of it is awaited.
 */
export function takeThread(memoryMb: number): ReadingThread {
  const at = kept.findIndex((one) => one.memoryMb === memoryMb)
  const [found] = at === -1 ? [] : kept.splice(at, 1)
  return found?.thread ?? startThread(memoryMb)
}

function startThread(memoryMb: number): ReadingThread {
  // Without the flags of the process: some, such as --input-type, forbid a thread to start.
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
  })
  const answers: ThreadAnswer[] = []
  const waiting: PromiseWithResolvers<ThreadAnswer>[] = []
  let death: { reason: unknown } | null = null
  const thread: ReadingThread = { tell, answer, end, giveBack }
  worker.unref()
  worker.on('message', (message: ThreadAnswer) => {
    const next = waiting.shift()
    if (next === undefined) answers.push(message)
    else next.resolve(message)
    if (waiting.length === 0) worker.unref()
  })
  worker.on('error', die)
  worker.on('exit', () => die(new ThreadLost('The reading thread has ended')))
  return thread

  function tell(word: ThreadWord): void {
    worker.postMessage(word)
  }

  function answer(): Promise<ThreadAnswer> {
    const next = answers.shift()
    if (next !== undefined) return Promise.resolve(next)
    if (death !== null) return Promise.reject(death.reason)
    const turn = Promise.withResolvers<ThreadAnswer>()
    waiting.push(turn)
    worker.ref()
    return turn.promise
  }

  async function end(reason: unknown): Promise<void> {
    die(reason)
    await worker.terminate()
  }

  function die(reason: unknown): void {
    death ??= { reason }
    const at = kept.findIndex((one) => one.thread === thread)
    if (at !== -1) kept.splice(at, 1)
    for (const turn of waiting.splice(0)) turn.reject(death.reason)
    worker.unref()
  }

  function giveBack(heapBytes: number): void {
    const mayBeKept = death === null && answers.length === 0 && waiting.length === 0 && heapBytes < KEPT_HEAP_BYTES
    if (mayBeKept && kept.length < KEPT_THREADS) kept.push({ memoryMb, thread })
    else worker.terminate()
  }
}

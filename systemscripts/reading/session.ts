import { basename } from 'node:path'
import { JobError, PermanentError } from '../errors.ts'
import { workbookTooLarge } from '../spreadsheet/refusals.ts'
import type { ReadRequest, ThreadAnswer, ThreadWord } from './protocol.ts'
import { ThreadLost, takeThread } from './thread-pool.ts'

/** One file being read by a thread. */
export interface ReadingSession {
  tell(word: ThreadWord): void
  /** The next answer, errors of the thread thrown as what they were there. */
  answer(): Promise<ThreadAnswer>
  /** Lets the file go; the thread is kept for the next one when all went well. May be called twice. */
  close(): Promise<void>
}

/** A thread that takes longer to let a file go is in the middle of something large, and ended. */
const CLOSING_MS = 500

export function startSession(
  request: ReadRequest,
  as: 'tables' | 'cells',
  memoryMb: number,
  signal: AbortSignal | undefined,
): ReadingSession {
  signal?.throwIfAborted()
  const { path } = request
  const thread = takeThread(memoryMb)
  let isOver = false
  let isDoubtful = false
  const onAbort = (): void => {
    isOver = true
    thread.end(signal?.reason).catch(() => {})
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  thread.tell({ type: 'open', request, as })
  return { tell, answer, close }

  /** A thread that has been given back may be reading another file. */
  function tell(word: ThreadWord): void {
    if (!isOver) thread.tell(word)
  }

  async function answer(): Promise<ThreadAnswer> {
    if (isOver) {
      signal?.throwIfAborted()
      throw new Error(`"${basename(path)}" has been let go`)
    }
    try {
      const given = await thread.answer()
      signal?.throwIfAborted()
      if (given.type === 'refused') throw refusal(given)
      if (given.type === 'failed') throw failure(given)
      return given
    } catch (error) {
      signal?.throwIfAborted()
      isDoubtful ||= !(error instanceof PermanentError)
      if (isOutOfMemory(error)) throw workbookTooLarge(basename(path), `Reading it takes more than ${memoryMb} MB of memory.`)
      throw error instanceof ThreadLost ? threadLost(path) : error
    }
  }

  async function close(): Promise<void> {
    if (isOver) return
    isOver = true
    signal?.removeEventListener('abort', onAbort)
    if (isDoubtful) return thread.end(new ThreadLost('closed'))
    const heapBytes = await closedWithin(CLOSING_MS)
    if (heapBytes === null) await thread.end(new ThreadLost('closed'))
    else thread.giveBack(heapBytes)
  }

  /** Answers to words before `close` may still come and are passed over. */
  async function closedWithin(milliseconds: number): Promise<number | null> {
    thread.tell({ type: 'close' })
    const late = Promise.withResolvers<null>()
    const timer = setTimeout(() => late.resolve(null), milliseconds)
    try {
      for (;;) {
        const given = await Promise.race([thread.answer(), late.promise])
        if (given === null) return null
        if (given.type === 'closed') return given.heapBytes
      }
    } catch {
      return null
    } finally {
      clearTimeout(timer)
    }
  }
}

function refusal({ isPermanent, error }: Extract<ThreadAnswer, { type: 'refused' }>): JobError {
  const { code, message, detail, hint } = error
  const facts = { ...(detail === null ? {} : { detail }), ...(hint === null ? {} : { hint }) }
  return isPermanent ? new PermanentError(code, message, facts) : new JobError(code, message, facts)
}

function failure({ name, message, code, stack }: Extract<ThreadAnswer, { type: 'failed' }>): Error {
  const error = new Error(message)
  error.name = name
  if (stack !== null) error.stack = stack
  return code === null ? error : Object.assign(error, { code })
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

function threadLost(path: string): JobError {
  return new JobError('reading_thread_lost', `The thread that read "${basename(path)}" ended without an answer`, {
    hint: 'It is tried again; when it happens for this file each time, ask the sender for a CSV.',
  })
}

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import type { PageReading, PageRules, PageSource } from '../../systemscripts/web/page/rules.ts'
import { compilePageRules } from '../../systemscripts/web/read-page.ts'
import type { ReadingAnswer, ReadingWord } from './reading/protocol.ts'

/** Reads the pages of a scan. */
export interface ScanReader extends AsyncDisposable {
  /** @throws PermanentError `pattern_too_slow`, `page_too_slow`, `page_too_complex` */
  read(page: PageSource): Promise<PageReading>
}

/** The first pages are read where they are: a thread takes 0.2 s to start, which most scans never need. Long ones may take long. */
const inlinePages = 32
const inlineLength = 200_000
const threads = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))
/** What is made of a page lives shortly; so it is swept away cheaply. */
const youngMb = 32

/**
 * In threads of its own where there is more to read, so that heartbeats and requests go on beside.
 * @param memoryMb of one thread
 * @throws as compilePageRules
 */
export function openReader(rules: PageRules, memoryMb = 512): ScanReader {
  const inline = compilePageRules(rules)
  const pool: ReadingThread[] = []
  let pages = 0
  return {
    async read(page) {
      pages += 1
      if (pages <= inlinePages && page.html.length <= inlineLength) return inline.read(page)
      const idle = pool.find((thread) => thread.waiting() === 0)
      if (idle === undefined && pool.length < threads) pool.push(openThread(rules, memoryMb))
      const thread = idle ?? pool.toSorted((a, b) => a.waiting() - b.waiting())[0]
      return thread === undefined ? inline.read(page) : await thread.read(page)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(pool.map((thread) => thread.end()))
    },
  }
}

interface ReadingThread {
  read(page: PageSource): Promise<PageReading>
  /** Pages that are not answered yet. */
  waiting(): number
  end(): Promise<void>
}

interface Asked extends PromiseWithResolvers<PageReading> {
  page: PageSource
}

/** Starts anew when a page was too much for it; that page is refused, the others come again. */
function openThread(rules: PageRules, memoryMb: number): ReadingThread {
  let asked: Asked[] = []
  let worker = start()
  return {
    read(page) {
      const one: Asked = { page, ...Promise.withResolvers<PageReading>() }
      asked.push(one)
      tell({ page })
      return one.promise
    },
    waiting: () => asked.length,
    async end() {
      worker.removeAllListeners()
      await worker.terminate()
    },
  }

  function tell(word: ReadingWord): void {
    worker.postMessage(word)
  }

  function start(): Worker {
    const started = new Worker(new URL('./reading/thread.ts', import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: youngMb },
    })
    const word: ReadingWord = { rules }
    started.postMessage(word)
    started.on('message', (answer: ReadingAnswer) => settle(asked.shift(), answer))
    started.once('error', (cause: unknown) => replace(cause))
    return started
  }

  function replace(cause: unknown): void {
    const [guilty, ...others] = asked
    guilty?.reject(tooComplex(guilty.page, memoryMb, cause))
    asked = others
    worker.removeAllListeners()
    worker = start()
    for (const { page } of others) tell({ page })
  }
}

function settle(one: Asked | undefined, answer: ReadingAnswer): void {
  if ('reading' in answer) one?.resolve(answer.reading)
  else if ('broken' in answer) one?.reject(new Error(`A page could not be read: ${answer.broken}`))
  else {
    const { code, message, detail, hint, isPermanent } = answer.refused
    const fields = { ...(detail === null ? {} : { detail }), ...(hint === null ? {} : { hint }) }
    const Kind = isPermanent ? PermanentError : JobError
    one?.reject(new Kind(code, message, fields))
  }
}

function tooComplex({ url, html }: PageSource, memoryMb: number, cause: unknown): PermanentError {
  return new PermanentError('page_too_complex', `${url} could not be read within ${memoryMb} MB of memory`, {
    detail: `It has ${html.length} characters. ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: 'See whether the page is what it should be; max_page_bytes of dba.scrapeconfig keeps such pages out.',
    cause,
  })
}

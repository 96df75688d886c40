/** A thread that reads pages by the rules it was given. */
import { parentPort } from 'node:worker_threads'
import { JobError, PermanentError } from '../../../systemscripts/errors.ts'
import { compilePageRules, type PageReader } from '../../../systemscripts/web/read-page.ts'
import type { ReadingAnswer, ReadingWord } from './protocol.ts'

let reader: PageReader | undefined

parentPort?.on('message', (word: ReadingWord) => {
  if ('rules' in word) reader = compilePageRules(word.rules)
  else parentPort?.postMessage(answerTo(word))
})

function answerTo({ page }: Extract<ReadingWord, { page: unknown }>): ReadingAnswer {
  try {
    if (reader === undefined) return { broken: 'no rules were given' }
    return { reading: reader.read(page) }
  } catch (error) {
    if (!(error instanceof JobError)) return { broken: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    const { code, message, detail = null, hint = null } = error
    return { refused: { code, message, detail, hint, isPermanent: error instanceof PermanentError } }
  }
}

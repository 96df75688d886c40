import { type MessagePort, parentPort } from 'node:worker_threads'
import { JobError, PermanentError } from '../errors.ts'
import { openSource } from './open-source.ts'
import type { ReadRequest, ThreadAnswer, ThreadWord } from './protocol.ts'
import { COPY_FORMAT, type SourceTable } from './source-table.ts'

// The entry of a reading thread; imported anywhere else it does nothing.
if (parentPort !== null) serve(parentPort)

function serve(port: MessagePort): void {
  let tables: AsyncGenerator<SourceTable> | null = null
  let table: SourceTable | null = null
  let stream: AsyncGenerator<ThreadAnswer> | null = null
  let last = Promise.resolve()
  port.on('message', (word: ThreadWord) => {
    last = last.then(async () => {
      const answer = await answerTo(word).catch(answerOfError)
      if (answer !== null) port.postMessage(answer, transferable(answer))
    })
  })

  async function answerTo(word: ThreadWord): Promise<ThreadAnswer | null> {
    switch (word.type) {
      case 'open':
        if (word.as === 'tables') tables = openSource(word.request)
        else stream = cellAnswers(word.request)
        return null
      case 'next': {
        await stream?.return(undefined)
        stream = null
        const next = await tables?.next()
        table = next === undefined || next.done ? null : next.value
        return table === null ? { type: 'done' } : { type: 'table', facts: table.facts }
      }
      case 'widen': {
        await stream?.return(undefined)
        stream = null
        table = table === null ? null : await table.withAllColumns()
        return table === null ? { type: 'done' } : { type: 'table', facts: table.facts }
      }
      case 'rows':
        stream = table === null ? null : rowAnswers(table)
        return null
      case 'copy':
        stream = table === null ? null : pieceAnswers(table.copy(word.plan))
        return { type: 'format', format: COPY_FORMAT }
      case 'more': {
        const next = await stream?.next()
        return next === undefined || next.done ? { type: 'end', emptyFormulas: table?.emptyFormulas?.() ?? [] } : next.value
      }
      case 'close': {
        await stream?.return(undefined)
        await tables?.return(undefined)
        tables = null
        table = null
        stream = null
        return { type: 'closed', heapBytes: process.memoryUsage().heapUsed }
      }
    }
  }
}

async function* cellAnswers(request: ReadRequest): AsyncGenerator<ThreadAnswer> {
  const { readSourceCells } = await import('./read-cells.ts')
  for await (const cells of readSourceCells(request)) yield { type: 'cells', cells }
}

async function* rowAnswers(table: SourceTable): AsyncGenerator<ThreadAnswer> {
  for await (const rows of table.rows()) yield { type: 'rows', rows }
}

async function* pieceAnswers(pieces: ReturnType<SourceTable['copy']>): AsyncGenerator<ThreadAnswer> {
  for await (const piece of pieces) yield { type: 'piece', piece }
}

function transferable(answer: ThreadAnswer): ArrayBuffer[] {
  const buffer = answer.type === 'piece' ? answer.piece.bytes.buffer : null
  return buffer instanceof ArrayBuffer ? [buffer] : []
}

function answerOfError(error: unknown): ThreadAnswer {
  if (error instanceof JobError) {
    const { code, message, detail = null, hint = null } = error
    return { type: 'refused', isPermanent: error instanceof PermanentError, error: { code, message, detail, hint } }
  }
  if (!(error instanceof Error)) return { type: 'failed', name: 'Error', message: String(error), code: null, stack: null }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null
  return { type: 'failed', name: error.name, message: error.message, code, stack: error.stack ?? null }
}

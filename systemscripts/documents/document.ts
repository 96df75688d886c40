import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PermanentError } from '../errors.ts'

/** A file in the making. */
export interface DocumentFile {
  /** The bytes, made while they are asked for. Can be walked once; leaving the walk early frees what it holds. */
  pieces: AsyncIterable<Uint8Array>
  /** Whole when `pieces` has been walked. */
  facts: DocumentFacts
}

export interface DocumentFacts {
  /** Rows in the document, without headers. */
  rows: number
  /** What a reader has to know, in sentences without a full stop: `first 10,000 of 48,211 rows`. */
  notes: string[]
}

/**
 * Writes a document to a file. It appears under its name when it is whole, and replaces one that was there; whatever ends it early
 * leaves nothing.
 *
 * @param options.maxBytes of the file. Default: no limit
 * @throws PermanentError `document_too_large`, and those of the document and of its rows; the signal's reason when aborted
 */
export async function saveDocument(
  document: DocumentFile,
  path: string,
  { maxBytes = Number.POSITIVE_INFINITY, signal }: { maxBytes?: number; signal?: AbortSignal } = {},
): Promise<DocumentFacts & { sizeBytes: number }> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`)
  const file = await open(draft, 'wx')
  let sizeBytes = 0
  try {
    for await (const piece of document.pieces) {
      signal?.throwIfAborted()
      sizeBytes += piece.length
      if (sizeBytes > maxBytes) throw tooLarge(basename(path), maxBytes, document.facts.rows)
      await file.writeFile(piece)
    }
    await file.close()
    await rename(draft, path)
    return { ...document.facts, sizeBytes }
  } catch (error) {
    await file.close().catch(() => {})
    await rm(draft, { force: true })
    throw error
  }
}

function tooLarge(name: string, maxBytes: number, rows: number): PermanentError {
  const limit = `${(maxBytes / 1024 / 1024).toFixed(1)} MiB`
  return new PermanentError('document_too_large', `File "${name}" would be larger than ${limit}`, {
    detail: `The limit was reached after about ${rows} rows.`,
    hint: 'Let the query answer fewer rows or columns, or raise the limit.',
  })
}

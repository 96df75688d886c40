import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { moveFile } from '../move-file.ts'
import { webAddress } from './address/web-address.ts'
import { openWebBody } from './http/body.ts'
import { statedName } from './http/stated-name.ts'
import { wallHeadLength } from './manners/challenge.ts'
import { isTextual } from './page/page-text.ts'
import { pageTooLarge } from './refusals.ts'
import { type Landing, visit } from './visit.ts'
import type { WebClient } from './web-client.ts'

export interface DownloadOptions {
  signal: AbortSignal
  /** From the last download: it comes only when it has changed. */
  etag?: string | null
  lastModified?: string | null
  headers?: Record<string, string>
  /** Makes the file's name from the one that the server gives, which is safe already. Default: that one. The result must be safe, too. */
  nameOf?: (stated: string) => string
  /** Default 1 GiB, unpacked. */
  maxBytes?: number
  /** From the turn at the host to the end of the body. Default 3600. */
  wholeSeconds?: number
}

export interface DownloadedFile {
  /** Null for a file that has not changed since. */
  path: string | null
  /** The name that the server gave, made safe. */
  statedName: string
  sizeBytes: number
  /** Of the unpacked bytes; empty for a file that has not changed. */
  sha256: string
  url: string
  redirectedFrom: string[]
  contentType: string | null
  etag: string | null
  lastModified: string | null
}

/**
 * Saves what an address gives in a folder, which is made when missing. The whole file appears under its name or nothing does; a name that is
 * taken is numbered, never overwritten (move-file.ts). Until then it is a hidden file `.….part`, which goes when the download fails. Memory
 * does not grow with the file.
 *
 * @throws as fetchPage, and what writing throws
 */
export async function downloadFile(client: WebClient, address: string, folder: string, options: DownloadOptions): Promise<DownloadedFile> {
  const { signal, etag = null, lastModified = null, headers, wholeSeconds = 3600 } = options
  const url = webAddress(address)
  await mkdir(folder, { recursive: true })
  const part = join(folder, `.${randomUUID()}.part`)
  const wanted = {
    url,
    signal,
    etag,
    lastModified,
    wholeSeconds,
    method: 'GET' as const,
    accepts: () => false,
    ...(headers ? { headers } : {}),
  }
  try {
    const file = await visit(client, wanted, (landing) => save(landing, part, options.maxBytes ?? LARGEST_FILE))
    if (file.isUnchanged) return { ...file.facts, path: null }
    const name = options.nameOf?.(file.facts.statedName) ?? file.facts.statedName
    return { ...file.facts, path: await moveFile(part, folder, { name: basename(name) }) }
  } finally {
    await rm(part, { force: true })
  }
}

const LARGEST_FILE = 1024 * 1024 * 1024

interface Saved {
  isUnchanged: boolean
  facts: Omit<DownloadedFile, 'path'>
}

async function save({ response, redirectedFrom, refuseWall, signal }: Landing, part: string, maxBytes: number): Promise<Saved> {
  const contentType = response.header('content-type')
  const facts = {
    statedName: statedName(response.header('content-disposition'), response.url),
    url: response.url.href,
    redirectedFrom,
    contentType,
    etag: response.header('etag'),
    lastModified: response.header('last-modified'),
  }
  if (response.status === 304) return { isUnchanged: true, facts: { ...facts, sizeBytes: 0, sha256: '' } }
  const hash = createHash('sha256')
  const head: Buffer[] = []
  let sizeBytes = 0
  const file = await open(part, 'w')
  try {
    for await (const piece of openWebBody(response)) {
      signal.throwIfAborted()
      if (sizeBytes < wallHeadLength) head.push(piece.subarray(0, wallHeadLength - sizeBytes))
      sizeBytes += piece.length
      if (sizeBytes > maxBytes) throw pageTooLarge(response.url.href, maxBytes, 'It goes on beyond that')
      hash.update(piece)
      await file.appendFile(piece)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  if (isTextual(contentType)) refuseWall(Buffer.concat(head).toString('latin1'), sizeBytes <= wallHeadLength)
  return { isUnchanged: false, facts: { ...facts, sizeBytes, sha256: hash.digest('hex') } }
}

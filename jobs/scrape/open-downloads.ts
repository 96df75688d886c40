import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import type { SavedFile, Scan, Visit } from '../../src/job/scans.ts'
import { moveFile } from '../../systemscripts/move-file.ts'
import { downloadFile } from '../../systemscripts/web/download-file.ts'
import { fillAddress } from '../../systemscripts/web/ids/fill-template.ts'
import type { PageReading } from '../../systemscripts/web/page/rules.ts'
import type { WebClient } from '../../systemscripts/web/web-client.ts'
import type { AskedPage } from './open-pages.ts'
import type { ScrapeSettings } from './settings.ts'
import { fileNameOf } from './templates.ts'

export interface Downloads {
  /** Files that the page led to, unchanged ones included. */
  found: number
  /** Those that were put into the folder. */
  saved: SavedFile[]
}

export interface DownloadOptions {
  client: WebClient
  settings: ScrapeSettings
  scan: Pick<Scan, 'lastFile'>
  /** Where files are put; each appears there whole. */
  folder: string
  /** Where they come in. */
  spool: string
  signal: AbortSignal
}

/** What a page leads to, and what is to become of it. */
export type DownloadFiles = (visit: Visit, page: AskedPage, reading: PageReading) => Promise<Downloads>

/**
 * Downloads what pages lead to. A file that is as it was when it was saved last, by the server's word or by its bytes, is not saved again.
 * @throws as downloadFile
 */
export function openDownloads({ client, settings, scan, folder, spool, signal }: DownloadOptions): DownloadFiles {
  return async (visit, page, reading) => {
    const isWanted = settings.fileStates.length === 0 || settings.fileStates.includes(reading.state ?? '')
    if (!isWanted) {
      if (page.download !== null) await rm(page.download.path, { force: true })
      return { found: 0, saved: [] }
    }
    const files = page.download === null ? [] : [await keep(visit, { ...page.download, etag: null, lastModified: null })]
    for (const url of addressesOf(visit, reading)) files.push(await fetchFile(visit, url))
    return { found: files.length, saved: files.filter((file) => file !== null) }
  }

  function addressesOf({ item }: Visit, reading: PageReading): string[] {
    if (reading.files.length > 0 || settings.fileUrl === null) return reading.files.map(({ url }) => url)
    return [fillAddress(settings.fileUrl, { id: item ?? '' })]
  }

  async function fetchFile(visit: Visit, url: string): Promise<SavedFile | null> {
    const last = await scan.lastFile(url, folder)
    const file = await downloadFile(client, url, spool, {
      signal,
      maxBytes: settings.maxFileBytes,
      etag: last?.etag ?? null,
      lastModified: last?.lastModified ?? null,
    })
    return file.path === null ? null : await keep(visit, { ...file, path: file.path, url })
  }

  async function keep(visit: Visit, file: NewFile): Promise<SavedFile | null> {
    const { path, statedName, url, sizeBytes, sha256, etag, lastModified } = file
    if ((await scan.lastFile(url, folder))?.sha256 === sha256) {
      await rm(path, { force: true })
      return null
    }
    const savedPath = await moveFile(path, folder, { name: fileNameOf(settings, visit.item, statedName) })
    return { url, fileName: basename(savedPath), savedPath, sizeBytes, sha256, etag, lastModified }
  }
}

interface NewFile {
  path: string
  statedName: string
  url: string
  sizeBytes: number
  sha256: string
  etag: string | null
  lastModified: string | null
}

import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
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
  scan: Pick<Scan, 'lastFile' | 'planFile'>
  /** Where files are put; each appears there whole. */
  folder: string
  /** Where they come in. */
  spool: string
  signal: AbortSignal
}

/** What a page leads to, and what is to become of it. */
export type DownloadFiles = (visit: Visit, page: AskedPage, reading: PageReading, values: PageValues) => Promise<Downloads>

/** What was read from the page, of several rows the first, by column. */
export type PageValues = Record<string, string | null>

/**
 * Downloads what pages lead to. A file that is as it was when it was saved last is saved again for whoever reckons with it day by day, or, by
 * the settings, is not, by the server's word or by its bytes. Where several pages of a run lead to the same file it is saved once.
 * @throws as downloadFile
 */
export function openDownloads({ client, settings, scan, folder, spool, signal }: DownloadOptions): DownloadFiles {
  return async (visit, page, reading, values) => {
    const isWanted = settings.fileStates.length === 0 || settings.fileStates.includes(reading.state ?? '')
    if (!isWanted) {
      if (page.download !== null) await rm(page.download.path, { force: true })
      return { found: 0, saved: [] }
    }
    const files = page.download === null ? [] : [await keep(visit, { ...page.download, etag: null, lastModified: null }, values)]
    for (const url of addressesOf(visit, reading)) files.push(await fetchFile(visit, url, values))
    return { found: files.length, saved: files.filter((file) => file !== null) }
  }

  function addressesOf({ item }: Visit, reading: PageReading): string[] {
    if (reading.files.length > 0 || settings.fileUrl === null) return reading.files.map(({ url }) => url)
    return [fillAddress(settings.fileUrl, { id: item ?? '' })]
  }

  async function fetchFile(visit: Visit, url: string, values: PageValues): Promise<SavedFile | null> {
    // Bytes that are to be saved must come.
    const last = settings.savesUnchanged ? null : await scan.lastFile(url, folder)
    const file = await downloadFile(client, url, spool, {
      signal,
      maxBytes: settings.maxFileBytes,
      etag: last?.etag ?? null,
      lastModified: last?.lastModified ?? null,
    })
    return file.path === null ? null : await keep(visit, { ...file, path: file.path, url }, values)
  }

  async function keep(visit: Visit, file: NewFile, values: PageValues): Promise<SavedFile | null> {
    const { path, statedName, url, sizeBytes, sha256, etag, lastModified } = file
    const last = await scan.lastFile(url, folder)
    if (last?.sha256 === sha256 && (last.isOfThisRun || !settings.savesUnchanged)) {
      await rm(path, { force: true })
      return null
    }
    const fileName = fileNameOf(settings, visit.item, statedName)
    const planned = { url, fileName, savedPath: join(folder, fileName), sizeBytes, sha256, etag, lastModified }
    const pagefileId = await scan.planFile(visit, planned, values)
    const savedPath = await moveFile(path, folder, { name: fileName })
    return { ...planned, pagefileId, fileName: basename(savedPath), savedPath }
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

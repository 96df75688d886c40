import type { Download } from 'playwright-core'
import { JobError } from '../../errors.ts'
import { hashFile } from '../../hash-file.ts'
import { moveFile } from '../../move-file.ts'
import { safeFileName } from '../../safe-file-name.ts'

export interface SavedDownload {
  path: string
  /** The name that the page gave, made safe. */
  statedName: string
  sizeBytes: number
  sha256: string
  /** Where it came from; `blob:` for what the page itself made. */
  url: string
}

/**
 * Waits for the end of a browser's download and puts the file into a folder under a free name (move-file.ts).
 * @throws JobError `download_failed`
 */
export async function keepDownload(
  download: Download,
  folder: string,
  nameOf: ((stated: string) => string) | null,
): Promise<SavedDownload> {
  const failure = await download.failure()
  if (failure !== null) {
    throw new JobError('download_failed', `The download of "${download.suggestedFilename()}" failed`, {
      detail: failure,
      hint: 'Nothing, if it happens seldom: a retry mends it.',
    })
  }
  const temporary = await download.path()
  const statedName = safeFileName(download.suggestedFilename())
  const { sha256, sizeBytes } = await hashFile(temporary)
  const path = await moveFile(temporary, folder, { name: nameOf === null ? statedName : nameOf(statedName) })
  return { path, statedName, sizeBytes, sha256, url: download.url() }
}

import { dirname, relative } from 'node:path'
import { dayIn } from '../../src/job/calendar-day.ts'
import type { ArrivedFile, ReadableFile } from '../../src/job/ledgers.ts'
import { readDate } from '../../systemscripts/date-format.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { namePart, stemOf } from '../../systemscripts/name-part.ts'
import { contentValue } from './content-value.ts'
import type { ImportSettings } from './settings.ts'

/**
 * What the dataset of a file is about, and its business date as `yyyy-mm-dd`.
 *
 * @param sourceFolder absolute
 * @param today the moment that `today` means
 * @throws PermanentError `name_part_not_found`, `date_not_read`, `date_format_invalid`, `content_not_found`; those of the file's reader
 */
export async function labelAndDate(
  file: ReadableFile,
  settings: ImportSettings,
  sourceFolder: string,
  today: Date,
  signal: AbortSignal,
): Promise<{ label: string; datasetDate: string }> {
  const look = (spec: string | null) => contentValue(file, spec ?? '', settings, signal)
  return { label: await labelOf(file, settings, sourceFolder, look), datasetDate: await dateOf(file, settings, today, look) }
}

type Look = (spec: string | null) => Promise<string>

async function labelOf(file: ArrivedFile, settings: ImportSettings, sourceFolder: string, look: Look): Promise<string> {
  const { labelFrom, labelSpec, partDelimiter } = settings
  if (labelFrom === 'static') return labelSpec ?? ''
  if (labelFrom === 'content') return await look(labelSpec)
  if (labelFrom === 'filename') return namePart(stemOf(file.name), { spec: labelSpec, delimiter: partDelimiter })
  // Of a folder below the source only what lies below it; of the source itself its own name.
  const folder = relative(dirname(sourceFolder), dirname(file.path)).replaceAll('\\', '/')
  const parts = folder.split('/')
  if (labelSpec === null) return parts.at(-1) ?? folder
  return namePart(parts.length > 1 ? parts.slice(1).join('/') : folder, { spec: labelSpec, delimiter: '/' })
}

async function dateOf(file: ArrivedFile, settings: ImportSettings, today: Date, look: Look): Promise<string> {
  const { dateFrom, dateSpec, dateFormat, onUnreadableDate, partDelimiter, sourceZone } = settings
  if (dateFrom === 'modified') return dayIn(sourceZone, file.modifiedAt)
  if (dateFrom === 'today') return dayIn(sourceZone, today)
  if (dateFrom === 'static') return readDate(dateSpec ?? '', dateFormat)
  try {
    if (dateFrom === 'filename') return readDate(namePart(stemOf(file.name), { spec: dateSpec, delimiter: partDelimiter }), dateFormat)
    return dateInContent(await look(dateSpec), dateFormat)
  } catch (error) {
    if (onUnreadableDate === 'today' && isUnreadable(error)) return dayIn(sourceZone, today)
    throw error
  }
}

/** A date cell of a spreadsheet is read as `yyyy-mm-dd`, whatever date_format says of texts. */
function dateInContent(text: string, dateFormat: string): string {
  const cell = /^(\d{4}-\d\d-\d\d)( \d\d:\d\d:\d\d(\.\d+)?)?$/.exec(text)?.[1]
  return cell === undefined ? readDate(text, dateFormat) : readDate(cell, 'yyyy-MM-dd')
}

function isUnreadable(error: unknown): boolean {
  return error instanceof PermanentError && ['date_not_read', 'name_part_not_found', 'content_not_found'].includes(error.code)
}

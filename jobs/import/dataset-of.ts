import { dirname, relative } from 'node:path'
import { dayIn } from '../../src/job/calendar-day.ts'
import type { Origin, ReadableFile } from '../../src/job/ledgers.ts'
import { readDate } from '../../systemscripts/date-format.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { namePart, stemOf } from '../../systemscripts/name-part.ts'
import { contentValue } from './content-value.ts'
import { originValue } from './origin-value.ts'
import type { ImportSettings } from './settings.ts'

/**
 * What the dataset of a file is about, and its business date as `yyyy-mm-dd`.
 *
 * @throws PermanentError `name_part_not_found`, `date_not_read`, `date_format_invalid`, `content_not_found`; those of originValue and of the file's reader
 */
export async function labelAndDate(
  file: ReadableFile,
  settings: ImportSettings,
  around: Surroundings,
): Promise<{ label: string; datasetDate: string }> {
  return { label: await labelOf(file, settings, around), datasetDate: await dateOf(file, settings, around) }
}

/** What is known beside the file. */
export interface Surroundings {
  /** Absolute. */
  sourceFolder: string
  /** The moment that `today` means. */
  today: Date
  /** The mail or page that the file came from. */
  origin: () => Promise<Origin>
  signal: AbortSignal
}

async function labelOf(file: ReadableFile, settings: ImportSettings, { sourceFolder, origin, signal }: Surroundings): Promise<string> {
  const { labelFrom, labelSpec, partDelimiter } = settings
  if (labelFrom === 'static') return labelSpec ?? ''
  if (labelFrom === 'content') return await contentValue(file, labelSpec ?? '', settings, signal)
  if (labelFrom === 'mail') return originValue(file, 'mail', { spec: labelSpec, usual: ['subject'] }, await origin(), settings)
  if (labelFrom === 'page') return originValue(file, 'page', { spec: labelSpec, usual: ['id', 'address'] }, await origin(), settings)
  if (labelFrom === 'filename') return namePart(stemOf(file.name), { spec: labelSpec, delimiter: partDelimiter })
  // Of a folder below the source only what lies below it; of the source itself its own name.
  const folder = relative(dirname(sourceFolder), dirname(file.path)).replaceAll('\\', '/')
  const parts = folder.split('/')
  if (labelSpec === null) return parts.at(-1) ?? folder
  return namePart(parts.length > 1 ? parts.slice(1).join('/') : folder, { spec: labelSpec, delimiter: '/' })
}

async function dateOf(file: ReadableFile, settings: ImportSettings, { today, origin, signal }: Surroundings): Promise<string> {
  const { dateFrom, dateSpec, dateFormat, onUnreadableDate, partDelimiter, sourceZone } = settings
  if (dateFrom === 'modified') return dayIn(sourceZone, file.modifiedAt)
  if (dateFrom === 'today') return dayIn(sourceZone, today)
  if (dateFrom === 'static') return readDate(dateSpec ?? '', dateFormat)
  try {
    if (dateFrom === 'filename') return readDate(namePart(stemOf(file.name), { spec: dateSpec, delimiter: partDelimiter }), dateFormat)
    if (dateFrom === 'content') return dateInContent(await contentValue(file, dateSpec ?? '', settings, signal), dateFormat)
    const asked = { spec: dateSpec, usual: dateFrom === 'mail' ? ['date'] : ['fetched'] }
    return dateInContent(originValue(file, dateFrom, asked, await origin(), settings), dateFormat)
  } catch (error) {
    if (onUnreadableDate === 'today' && isUnreadable(error)) return dayIn(sourceZone, today)
    throw error
  }
}

/** A date cell of a spreadsheet, and the day of a mail or page, is read as `yyyy-mm-dd`, whatever date_format says of texts. */
function dateInContent(text: string, dateFormat: string): string {
  const cell = /^(\d{4}-\d\d-\d\d)( \d\d:\d\d:\d\d(\.\d+)?)?$/.exec(text)?.[1]
  return cell === undefined ? readDate(text, dateFormat) : readDate(cell, 'yyyy-MM-dd')
}

const unreadable = ['date_not_read', 'name_part_not_found', 'content_not_found', 'origin_unknown', 'origin_value_missing']

function isUnreadable(error: unknown): boolean {
  return error instanceof PermanentError && unreadable.includes(error.code)
}

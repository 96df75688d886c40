import { dirname, relative } from 'node:path'
import type { ArrivedFile, DatasetFacts } from '../../src/job/ledgers.ts'
import { readDate } from '../../systemscripts/date-format.ts'
import { namePart, stemOf } from '../../systemscripts/name-part.ts'
import type { ImportSettings } from './settings.ts'

/**
 * What the dataset of a file is: label, date, source, type.
 *
 * @param sourceFolder absolute
 * @param today the moment that `today` means
 * @throws PermanentError `name_part_not_found`, `date_not_read`, `date_format_invalid`
 */
export function datasetOf(file: ArrivedFile, settings: ImportSettings, sourceFolder: string, today: Date): DatasetFacts {
  const { datasource, datasettype, targetTable, replacesFormer } = settings
  return {
    label: labelOf(file, settings, sourceFolder),
    datasetDate: dateOf(file, settings, today),
    datasource,
    datasettype,
    targetTable,
    replacesFormer,
  }
}

function labelOf(file: ArrivedFile, { labelFrom, labelSpec, partDelimiter }: ImportSettings, sourceFolder: string): string {
  if (labelFrom === 'static') return labelSpec ?? ''
  if (labelFrom === 'filename') return namePart(stemOf(file.name), { spec: labelSpec, delimiter: partDelimiter })
  // Of a folder below the source only what lies below it; of the source itself its own name.
  const folder = relative(dirname(sourceFolder), dirname(file.path)).replaceAll('\\', '/')
  const parts = folder.split('/')
  if (labelSpec === null) return parts.at(-1) ?? folder
  return namePart(parts.length > 1 ? parts.slice(1).join('/') : folder, { spec: labelSpec, delimiter: '/' })
}

function dateOf(file: ArrivedFile, { dateFrom, dateSpec, dateFormat, partDelimiter, sourceZone }: ImportSettings, today: Date): string {
  if (dateFrom === 'modified') return dayIn(sourceZone, file.modifiedAt)
  if (dateFrom === 'today') return dayIn(sourceZone, today)
  if (dateFrom === 'static') return readDate(dateSpec ?? '', dateFormat)
  return readDate(namePart(stemOf(file.name), { spec: dateSpec, delimiter: partDelimiter }), dateFormat)
}

/** Calendar day of a moment in a zone, `yyyy-mm-dd`. */
function dayIn(timeZone: string, moment: Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(moment)
}

import { safeFileName } from '../../systemscripts/safe-file-name.ts'
import { fillText } from '../../systemscripts/web/ids/fill-template.ts'

/** Label of the dataset that a page's rows belong to. @throws PermanentError `place_unknown` */
export function labelOf(
  { label, configName }: { label: string; configName: string },
  page: { id: string | null; url: string; title: string | null; state: string | null },
): string {
  const filled = fillText(label, { id: page.id ?? '', url: page.url, title: page.title ?? '', state: page.state ?? '' }).trim()
  return filled === '' ? configName : filled
}

/** Label of a dataset of no page. */
export function commonLabel({ label, configName }: { label: string; configName: string }): string {
  return label.includes('{') ? configName : label
}

/** Whether the datasets of ids, or of pages, stand for themselves. */
export function isLabelOfItem({ label }: { label: string }): boolean {
  return /\{(id|url)\}/.test(label)
}

/**
 * Name that a download is saved under, safe whatever the id and the page say.
 * @param stated the name that it came with
 * @throws PermanentError `place_unknown`
 */
export function fileNameOf({ fileName }: { fileName: string }, item: string | null, stated: string): string {
  const timestamp = new Date().toISOString().replaceAll(/[-:]|[.].*$/g, '')
  return safeFileName(fillText(fileName, { timestamp, id: item ?? '', name: stated, date: timestamp.slice(0, 8) }))
}

/** A name that a folder or a file can have. */
export function plainName(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+|^[.]+/gu, '_').slice(0, 40)
}

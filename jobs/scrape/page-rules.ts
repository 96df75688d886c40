import type { PageRules } from '../../systemscripts/web/page/rules.ts'
import { factOf } from './own-fields.ts'
import type { ScrapeSettings } from './settings.ts'

/** The settings as the page reader takes them; what Rota knows by itself is not read. */
export function pageRules({
  fields,
  rowSelector,
  followSelector,
  followPattern,
  nextSelector,
  fileSelector,
  filePattern,
}: ScrapeSettings): PageRules {
  return {
    rowSelector,
    followSelector,
    followPattern,
    nextSelector,
    fileSelector: fileSelector ?? (filePattern === null ? null : 'a[href]'),
    filePattern,
    fields: fields
      .filter((field) => factOf(field) === null)
      .map(({ columnName, headers, selector, attribute, pattern, isPageText: pageText, skipWhen, stateWord, statusCodes }) => ({
        columnName,
        headers: headers.length > 0 ? headers : null,
        selector,
        attribute,
        pattern,
        pageText,
        skipWhen,
        stateWord,
        statusCodes: statusCodes.length > 0 ? statusCodes : null,
      })),
  }
}

import { type CheerioAPI, load as loadByStandard } from 'cheerio'
import { load as loadFast } from 'cheerio/slim'
import { isWellNested } from './well-nested.ts'

/**
 * The tree of a page as a browser would make it. Plain pages are read by a parser twice as fast that makes the same tree of them
 * (well-nested.ts); white space between elements may differ. Pages made to be slow are; see runWatched.
 */
export function parsePage(html: string, isPlain = isWellNested(html)): CheerioAPI {
  return isPlain ? loadFast(html) : loadByStandard(html)
}

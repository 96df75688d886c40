import type { CheerioAPI } from 'cheerio'
import { type Element, shownText } from '../../spreadsheet/html/shown-text.ts'
import { allNamed } from './named.ts'
import type { PageLink } from './rules.ts'
import { elementsOf } from './selectors.ts'

/** Turns addresses as they stand in a page into whole ones; null for what leads nowhere over http. */
export type Resolve = (address: string) => string | null

/** `<base href>` counts, as in a browser. The part behind `#` is left out. */
export function resolver($: CheerioAPI, pageUrl: string): Resolve {
  let base: string | null = null
  return (address) => {
    base ??= baseOf($, pageUrl)
    const url = URL.parse(address.trim(), base)
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null
    url.hash = ''
    return url.href
  }
}

function baseOf($: CheerioAPI, pageUrl: string): string {
  for (const { attribs } of allNamed($, 'base')) {
    if (attribs.href !== undefined) return URL.parse(attribs.href.trim(), pageUrl)?.href ?? pageUrl
  }
  return pageUrl
}

/** The links in some elements, each address once. An element may be the link itself or something around one. */
export function linksIn($: CheerioAPI, elements: Element[], resolve: Resolve): PageLink[] {
  const links = new Map<string, PageLink>()
  for (const element of elements) {
    for (const [address, link] of addressesOf($, element)) {
      const url = resolve(address)
      if (url !== null && !links.has(url)) links.set(url, { url, text: shownText(link) })
    }
  }
  return [...links.values()]
}

function addressesOf($: CheerioAPI, element: Element): [string, Element][] {
  const own = element.attribs.href ?? element.attribs.src ?? element.attribs['data-href']
  if (own !== undefined) return [[own, element]]
  return elementsOf($(element).find('a[href]')).flatMap((link) => (link.attribs.href === undefined ? [] : [[link.attribs.href, link]]))
}

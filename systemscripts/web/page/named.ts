import type { CheerioAPI } from 'cheerio'
import type { Element } from '../../spreadsheet/html/shown-text.ts'

/** All elements of a name, in the order of the page: many times faster than a selector, which most pages are asked for often. */
export function* allNamed($: CheerioAPI, name: string): Generator<Element> {
  const waiting: Element['children'] = []
  for (const root of $.root().toArray()) if ('children' in root) waiting.push(...root.children.toReversed())
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (!('attribs' in node)) continue
    if (node.name === name) yield node
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      const child = node.children[index]
      if (child !== undefined) waiting.push(child)
    }
  }
}

/** The first of them. */
export function firstNamed($: CheerioAPI, name: string): Element | null {
  for (const element of allNamed($, name)) return element
  return null
}

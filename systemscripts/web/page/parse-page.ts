import { type CheerioAPI, load as loadByStandard } from 'cheerio'
import { load as loadFast } from 'cheerio/slim'
import type { Element } from '../../spreadsheet/html/shown-text.ts'
import { allNamed } from './named.ts'
import { isWellNested } from './well-nested.ts'

/**
 * The tree of a page as a browser would make it. Plain pages are read by a parser twice as fast that makes the same tree of them
 * (well-nested.ts); white space between elements may differ. Pages made to be slow are; see runWatched.
 */
export function parsePage(html: string, isPlain = isWellNested(html)): CheerioAPI {
  if (!isPlain) return loadByStandard(html)
  const $ = loadFast(html)
  for (const table of allNamed($, 'table')) giveBodies($, table)
  return $
}

/** Rows that stand in a table itself get the tbody that the standard gives them (13.2.6.4.9), up to the next part of the table. */
function giveBodies($: CheerioAPI, table: Element): void {
  if (!table.children.some((child) => child.type === 'tag' && child.name === 'tr')) return
  const { children } = table
  const parts: Element['children'] = []
  let body: Element | null = null
  for (const child of children) {
    if (child.type === 'tag' && child.name !== 'tr') body = null
    else if (child.type === 'tag' && body === null) {
      body = newBody($)
      if (body !== null) adopt(table, parts, body)
    }
    if (body === null) adopt(table, parts, child)
    else adopt(body, body.children, child)
  }
  table.children = parts
}

function newBody($: CheerioAPI): Element | null {
  const [body] = $('<tbody></tbody>').toArray()
  return body !== undefined && 'attribs' in body ? body : null
}

/** Makes a node the last of some children. */
function adopt(parent: Element, children: Element['children'], child: Element['children'][number]): void {
  const last = children.at(-1) ?? null
  child.parent = parent
  child.prev = last
  child.next = null
  if (last !== null) last.next = child
  children.push(child)
}

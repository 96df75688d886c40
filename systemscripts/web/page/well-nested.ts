/**
 * Whether a page is written so plainly that any parser makes the same tree of it: html, head and body are there, every element is closed
 * where it should be, rows stand in tables or their parts, and nothing stands where the HTML standard (13.2.6) would move, close or drop it.
 *
 * A page that is not may still be a good one. It is read by the parser of the standard then, which takes twice as long.
 */
export function isWellNested(html: string): boolean {
  const open: string[] = []
  let at = skipProlog(html)
  let seen = 0
  for (;;) {
    const tagAt = html.indexOf('<', at)
    const textEnd = tagAt === -1 ? html.length : tagAt
    const top = open.at(-1) ?? ''
    if (textEnd > at && hasNoText(top) && !isBlank(html, at, textEnd)) return false
    if (tagAt === -1) return open.length === 0 && seen === ALL_SEEN
    if (html.startsWith('<!--', tagAt)) {
      at = endOfComment(html, tagAt)
      if (at === -1) return false
      continue
    }
    if (html[tagAt + 1] === '/') {
      CLOSING.lastIndex = tagAt
      const closing = CLOSING.exec(html)
      if (closing === null || open.pop() !== closing[1]?.toLowerCase()) return false
      at = CLOSING.lastIndex
      continue
    }
    OPENING.lastIndex = tagAt
    const opening = OPENING.exec(html)
    const name = opening?.[1]?.toLowerCase() ?? ''
    if (opening === null || TROUBLE.has(name) || !mayStandIn(open, name, seen)) return false
    at = OPENING.lastIndex
    if (open.length >= DEEPEST) return false
    seen |= FRAME[name] ?? 0
    if (VOID.has(name)) continue
    if (opening[2] === '/') return false
    if (RAW.has(name)) {
      at = endOfRaw(html, at, name)
      if (at === -1) return false
    } else open.push(name)
  }
}

const OPENING = /<([a-z][a-z0-9-]*)(?:\s+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+(?=[\s>])))?)*\s*(\/?)>/iy
const CLOSING = /<\/([a-z][a-z0-9-]*)\s*>/iy

/** Beyond it a page is made to be slow: browsers nest no deeper. Most of what is asked of an element goes through all that it stands in. */
const DEEPEST = 512

/** Each must come once, in this order. */
const FRAME: Record<string, number> = { html: 1, head: 2, body: 4 }
const ALL_SEEN = 7

const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))
/** What is inside is text to the end tag. */
const RAW = new Set(['script', 'style', 'title'])
/** Elements with rules of their own that are not worth knowing here. */
const TROUBLE = new Set(
  'textarea xmp iframe noembed noframes noscript plaintext svg math template frameset frame image isindex listing ruby rb rt rp rtc nobr keygen applet marquee object menuitem optgroup'.split(
    ' ',
  ),
)
/** They end a paragraph that is open. */
const BLOCKS = new Set(
  'address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr li dd dt main menu nav ol p pre search section summary table ul'.split(
    ' ',
  ),
)
const HEADINGS = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'])
/** The fast parser closes one of them before another, wherever they stand. */
const FORM_PARTS = new Set(['input', 'select', 'button', 'datalist', 'output'])
const IN_HEAD = new Set(['title', 'meta', 'link', 'style', 'script', 'base'])
/** Parts of a table stand in these and nowhere else; these hold nothing else. */
const PARENTS: Record<string, string[]> = {
  caption: ['table'],
  colgroup: ['table'],
  thead: ['table'],
  tbody: ['table'],
  tfoot: ['table'],
  // In a table itself: parse-page.ts gives them their tbody.
  tr: ['table', 'thead', 'tbody', 'tfoot'],
  td: ['tr'],
  th: ['tr'],
  col: ['colgroup'],
  option: ['select'],
}
const HOLDS_PARTS = new Set(['table', 'thead', 'tbody', 'tfoot', 'tr', 'colgroup', 'select'])
/** Beyond them nothing is closed from inside. */
const WALLS = new Set(['td', 'th', 'caption', 'button', 'body'])

function mayStandIn(open: string[], name: string, seen: number): boolean {
  const parent = open.at(-1) ?? ''
  if (name in FRAME) return frameFits(name, parent, seen)
  if (parent === '' || parent === 'html') return false
  if (parent === 'head') return IN_HEAD.has(name)
  const parents = PARENTS[name]
  if (parents !== undefined) return parents.includes(parent)
  if (HOLDS_PARTS.has(parent) || parent === 'option') return false
  if (BLOCKS.has(name) && isInside(open, 'p', WALLS)) return false
  if (HEADINGS.has(name) && HEADINGS.has(parent)) return false
  if (FORM_PARTS.has(name) && FORM_PARTS.has(parent)) return false
  if (name === 'li') return !isInside(open, 'li', LISTS)
  if (name === 'dd' || name === 'dt') return !isInside(open, 'dd', LISTS) && !isInside(open, 'dt', LISTS)
  if (name === 'a' || name === 'button' || name === 'form') return !open.includes(name)
  return true
}

const LISTS = new Set([...WALLS, 'ul', 'ol', 'dl', 'menu', 'dir'])

function frameFits(name: string, parent: string, seen: number): boolean {
  if (name === 'html') return parent === '' && seen === 0
  return parent === 'html' && (name === 'head' ? seen === 1 : seen === 3)
}

function isInside(open: string[], name: string, walls: Set<string>): boolean {
  for (let index = open.length - 1; index >= 0; index -= 1) {
    const one = open[index] ?? ''
    if (one === name) return true
    if (walls.has(one)) return false
  }
  return false
}

function hasNoText(parent: string): boolean {
  return parent === '' || parent === 'html' || parent === 'head' || HOLDS_PARTS.has(parent)
}

function isBlank(html: string, from: number, until: number): boolean {
  for (let at = from; at < until; at += 1) if (html.charCodeAt(at) > 32) return false
  return true
}

function skipProlog(html: string): number {
  const doctype = /^\ufeff?\s*<!doctype\s[^>]*>/i.exec(html)
  return doctype === null ? 0 : doctype[0].length
}

/** -1 for a comment that parsers end in different places. */
function endOfComment(html: string, at: number): number {
  const end = html.indexOf('-->', at + 4)
  if (end === -1 || /^-?>/.test(html.slice(at + 4, at + 6))) return -1
  return html.slice(at, end).includes('--!>') ? -1 : end + 3
}

/** Behind the end tag; -1 when there is none, or the content could hide it. */
function endOfRaw(html: string, at: number, name: string): number {
  const end = RAW_END[name]
  if (end === undefined) return -1
  end.lastIndex = at
  const found = end.exec(html)
  if (found === null || (name === 'script' && html.slice(at, found.index).includes('<!--'))) return -1
  return end.lastIndex
}

const RAW_END: Record<string, RegExp> = { script: /<\/script\s*>/gi, style: /<\/style\s*>/gi, title: /<\/title\s*>/gi }

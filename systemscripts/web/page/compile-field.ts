import type { CheerioAPI } from 'cheerio'
import { type Element, shownText } from '../../spreadsheet/html/shown-text.ts'
import { createCellFinder } from './header-cells.ts'
import type { Resolve } from './links.ts'
import { compileMatcher, type TextMatcher } from './match-text.ts'
import type { FieldRule } from './rules.ts'
import { checkSelector, findInRows } from './selectors.ts'

/** A page while it is read. */
export interface OpenPage {
  $: CheerioAPI
  /** The element of the page itself. */
  root: Element | null
  resolve: Resolve
  /** All that a selector finds in the page; looked for once. */
  select(selector: string): Element[]
  status: number
  /** All that is visible. */
  text(): string
}

export interface CompiledField {
  rule: FieldRule
  /** The value for each of the rows, in their order, and how many elements were found. */
  read(page: OpenPage, rows: Element[]): { values: (string | null)[]; matched: number }
  /** Of a rule with a state word: whether all that it names holds. */
  holds(page: OpenPage): { isTrue: boolean; matched: number }
  skips: TextMatcher | null
}

/** @throws PermanentError `selector_invalid`, `pattern_invalid` */
export function compileField(rule: FieldRule): CompiledField {
  const { columnName, headers = null, pattern = null, pageText = false, skipWhen = null, statusCodes = null } = rule
  const isOfPage = /^\s*page:/.test(rule.selector ?? '')
  const selector = rule.selector?.replace(/^\s*page:\s*/, '') ?? null
  if (selector !== null) checkSelector(selector, `selector of column "${columnName}"`)
  const matches = pattern === null ? null : compileMatcher(pattern, `pattern of column "${columnName}"`)
  const valueIn = (page: OpenPage, element: Element): string | null => filtered(rawValue(page, element, rule.attribute ?? null), matches)
  const firstValue = (page: OpenPage, elements: Element[]): string | null => {
    for (const element of elements) {
      const value = valueIn(page, element)
      if (value !== null) return value
    }
    return null
  }

  return {
    rule,
    skips: skipWhen === null ? null : compileMatcher(skipWhen, `skip_when of column "${columnName}"`),
    read(page, rows) {
      const forAll = (value: string | null, matched: number) => ({ values: rows.map(() => value), matched })
      if (pageText) return forAll(filtered(page.text(), matches), 1)
      if (isOfPage && selector !== null) {
        const elements = page.select(selector)
        return forAll(firstValue(page, elements), elements.length)
      }
      const found = foundInRows(page, rows, headers, selector)
      return { values: rows.map((row) => firstValue(page, found.get(row) ?? [])), matched: [...found.values()].flat().length }
    },
    holds(page) {
      const elements = selector === null ? [] : page.select(selector)
      const isThere = selector === null || (matches === null && !rule.attribute ? elements.length > 0 : firstValue(page, elements) !== null)
      const isSaid = !pageText || matches === null || matches(page.text()) !== null
      const isAnswered = statusCodes === null || statusCodes.includes(page.status)
      return { isTrue: isThere && isSaid && isAnswered, matched: elements.length }
    },
  }
}

/** Null for an empty one: a page cannot say the difference. */
function filtered(text: string | null, matches: TextMatcher | null): string | null {
  const value = text === null || matches === null ? text : matches(text)
  return value === '' ? null : value
}

function rawValue(page: OpenPage, element: Element, attribute: string | null): string | null {
  if (attribute === null) return shownText(element)
  const value = element.attribs[attribute.toLowerCase()] ?? element.attribs[attribute]
  if (value === undefined) return null
  return ['href', 'src', 'action'].includes(attribute.toLowerCase()) ? (page.resolve(value) ?? value) : value.trim()
}

/** Without headers and selector the row itself. */
function foundInRows(page: OpenPage, rows: Element[], headers: string[] | null, selector: string | null): Map<Element, Element[]> {
  if (headers === null) return selector === null ? new Map(rows.map((row) => [row, [row]])) : findIn(page, rows, selector)
  const cellBelow = createCellFinder()
  const cells = new Map(rows.map((row) => [row, cellBelow(row, headers)]))
  if (selector === null) return new Map([...cells].map(([row, cell]) => [row, cell === null ? [] : [cell]]))
  const wanted = [...cells.values()].filter((cell) => cell !== null)
  const inside = findInRows(page.$, wanted, selector)
  return new Map([...cells].map(([row, cell]) => [row, cell === null ? [] : (inside.get(cell) ?? [])]))
}

/** Where the page is the one row, what is in it is what is in the page, but for the element of the page and what a selector says of it. */
function findIn({ $, root, select }: OpenPage, rows: Element[], selector: string): Map<Element, Element[]> {
  const [row] = rows
  const isOfPage = rows.length === 1 && row !== undefined && row === root && !/(^|,)\s*[>+~]|:scope/.test(selector)
  return isOfPage ? new Map([[row, select(selector).filter((element) => element !== row)]]) : findInRows($, rows, selector)
}

import type { CheerioAPI } from 'cheerio'
import { PermanentError } from '../errors.ts'
import { type Element, shownText } from '../spreadsheet/html/shown-text.ts'
import { nameInAddress } from './http/stated-name.ts'
import { type CompiledField, compileField, type OpenPage } from './page/compile-field.ts'
import { linksIn, resolver } from './page/links.ts'
import { compileMatcher } from './page/match-text.ts'
import { firstNamed } from './page/named.ts'
import { parsePage } from './page/parse-page.ts'
import type { PageLink, PageReading, PageRules, PageSource, SelectorStatistics } from './page/rules.ts'
import { runWatched } from './page/run-watched.ts'
import { checkSelector, elementsOf } from './page/selectors.ts'
import { isWellNested } from './page/well-nested.ts'

/** Reads any number of pages by the same rules. */
export interface PageReader {
  /** @throws PermanentError `pattern_too_slow`, `page_too_slow` */
  read(page: PageSource): PageReading
}

/** One page by rules that are used once; shapes and errors as in compilePageRules. */
export function readPage(page: PageSource, rules: PageRules): PageReading {
  return compilePageRules(rules).read(page)
}

/**
 * Checks and compiles rules once.
 *
 * Texts are as shown: blanks joined, `<br>` and paragraphs as line breaks, what is hidden inside an element left out. Of several elements
 * the first with a value counts; an empty text is null. Without a row selector the page is one row. Selectors may use jQuery's `:first`,
 * `:eq(2)`, `:contains("x")`.
 *
 * @param longestSeconds a page that takes longer is given up
 * @throws PermanentError `selector_invalid`, `pattern_invalid`
 */
export function compilePageRules(rules: PageRules, longestSeconds = 10): PageReader {
  const { rowSelector = null, followSelector = null, nextSelector = null, fileSelector = null } = rules
  const named = { row_selector: rowSelector, follow_selector: followSelector, next_selector: nextSelector, file_selector: fileSelector }
  for (const [name, selector] of Object.entries(named)) if (selector !== null) checkSelector(selector, name)
  const fields = rules.fields.map(compileField)
  const mayFollow = rules.followPattern ? compileMatcher(rules.followPattern, 'follow_pattern') : null
  const isFile = rules.filePattern ? compileMatcher(rules.filePattern, 'file_pattern') : null

  return {
    read(source) {
      const { html, url } = source
      const isPlain = isWellNested(html)
      if (html.length <= (isPlain ? QUICK_PLAIN : QUICK)) return readAll(source, isPlain)
      return runWatched(
        longestSeconds,
        () => readAll(source, isPlain),
        () => tooSlow(url, html.length, longestSeconds),
      )
    },
  }

  function readAll({ html, url, status = 200 }: PageSource, isPlain: boolean): PageReading {
    const statistics: SelectorStatistics[] = []
    const page = openPage(parsePage(html, isPlain), url, status)
    const state = stateOf(page, fields, statistics)
    const elements = rowSelector === null ? (page.root === null ? [] : [page.root]) : page.select(rowSelector)
    if (rowSelector !== null) {
      statistics.push({ name: 'row_selector', selector: rowSelector, matched: elements.length, filled: elements.length })
    }
    const rows = readRows(page, fields, elements, statistics)
    const links = (name: keyof typeof named): PageLink[] => readLinks(page, name, named[name], statistics)
    const follow = links('follow_selector').map((link) => link.url)
    const files = links('file_selector')
    return {
      title: titleOf(page.$),
      state,
      ...rows,
      follow: mayFollow === null ? follow : follow.filter((address) => mayFollow(address) !== null),
      next: links('next_selector')[0]?.url ?? null,
      files: isFile === null ? files : files.filter(({ url }) => isFile(url) !== null || isFile(nameInAddress(new URL(url))) !== null),
      statistics,
    }
  }
}

/** Shorter ones, in characters, cannot take long, whatever is in them. Elements inside elements, thousands deep, take a parser the square of that. */
const QUICK = 16_000
const QUICK_PLAIN = 1_000_000

function openPage($: CheerioAPI, url: string, status: number): OpenPage {
  const found = new Map<string, Element[]>()
  let text: string | null = null
  return {
    $,
    root: rootOf($),
    resolve: resolver($, url),
    status,
    select(selector) {
      const elements = found.get(selector) ?? elementsOf($(selector))
      found.set(selector, elements)
      return elements
    },
    text() {
      if (text !== null) return text
      const body = firstNamed($, 'body')
      text = body === null ? '' : (shownText(body) ?? '')
      return text
    },
  }
}

function rootOf($: CheerioAPI): Element | null {
  const [document] = $.root().toArray()
  if (document === undefined || !('children' in document)) return null
  return document.children.find((child) => 'attribs' in child) ?? null
}

/** All rules are looked at, so that it is known how often each holds; the first decides. */
function stateOf(page: OpenPage, fields: CompiledField[], statistics: SelectorStatistics[]): string | null {
  let state: string | null = null
  for (const { rule, holds } of fields) {
    if (!rule.stateWord) continue
    const { isTrue, matched } = holds(page)
    if (isTrue) state ??= rule.stateWord
    statistics.push({ name: rule.columnName, selector: rule.selector ?? null, matched, filled: isTrue ? 1 : 0 })
  }
  return state
}

function readRows(
  page: OpenPage,
  fields: CompiledField[],
  elements: Element[],
  statistics: SelectorStatistics[],
): Pick<PageReading, 'rows' | 'skippedRows'> {
  const rows = elements.map((): Record<string, string | null> => ({}))
  const skipped = new Set<unknown>()
  for (const field of fields) {
    if (field.rule.stateWord) continue
    const { columnName, selector = null } = field.rule
    const { values, matched } = field.read(page, elements)
    rows.forEach((row, index) => {
      const value = values[index] ?? null
      row[columnName] = value
      if (field.skips !== null && field.skips(value ?? '') !== null) skipped.add(row)
    })
    statistics.push({ name: columnName, selector, matched, filled: values.filter((value) => value !== null).length })
  }
  return { rows: rows.filter((row) => !skipped.has(row)), skippedRows: skipped.size }
}

function readLinks(page: OpenPage, name: string, selector: string | null, statistics: SelectorStatistics[]): PageLink[] {
  if (selector === null) return []
  const elements = page.select(selector)
  const links = linksIn(page.$, elements, page.resolve)
  statistics.push({ name, selector, matched: elements.length, filled: links.length })
  return links
}

function titleOf($: CheerioAPI): string | null {
  const title = firstNamed($, 'title')
  return title === null ? null : shownText(title)
}

function tooSlow(url: string, length: number, longestSeconds: number): PermanentError {
  return new PermanentError('page_too_slow', `${url} takes too long to read`, {
    detail: `Reading its ${length} characters was stopped after ${longestSeconds} s.`,
    hint: 'See whether the page is what it should be; simpler selectors help where it is.',
  })
}

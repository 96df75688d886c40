import { type CheerioAPI, load } from 'cheerio'
import { PermanentError } from '../../errors.ts'
import type { Element } from '../../spreadsheet/html/shown-text.ts'

/**
 * Refuses a selector that cannot be read, with what was probably meant.
 * @param place names it in messages: `selector of column "price"`, `row_selector`
 * @throws PermanentError `selector_invalid`
 */
export function checkSelector(selector: string, place: string): void {
  try {
    load('<p></p>')(selector)
    if (selector.trim() !== '') return
  } catch (cause) {
    throw selectorInvalid(selector, place, cause)
  }
  throw selectorInvalid(selector, place, null)
}

/** All elements within each of the rows, in the order of the page; an element within several rows belongs to each of them. */
export function findInRows($: CheerioAPI, rows: Element[], selector: string): Map<Element, Element[]> {
  const found = new Map<Element, Element[]>(rows.map((row) => [row, []]))
  if (isPositional(selector)) {
    for (const row of rows) found.set(row, elementsOf($(row).find(selector)))
    return found
  }
  // One search for all rows; compiling the selector for each of them would take most of the time.
  for (const element of elementsOf($(rows).find(selector))) {
    for (let parent = element.parent; parent !== null; parent = parent.parent) {
      if (parent.type === 'tag') found.get(parent)?.push(element)
    }
  }
  return found
}

export function elementsOf(found: ReturnType<CheerioAPI>): Element[] {
  return found.toArray().filter((one) => 'attribs' in one)
}

/** cheerio's own additions, which count within all that is found, as jQuery's do. */
function isPositional(selector: string): boolean {
  return /:(first|last|eq|nth|gt|lt|even|odd)(?![-\w])/.test(selector)
}

function selectorInvalid(selector: string, place: string, cause: unknown): PermanentError {
  return new PermanentError('selector_invalid', `The ${place} cannot be read: "${selector}"`, {
    detail: cause instanceof Error ? cause.message : 'It is blank.',
    hint: hintFor(selector),
    ...(cause === null ? {} : { cause }),
  })
}

function hintFor(selector: string): string {
  if (/^\s*\.?\/\/?\w|\[@/.test(selector)) return 'This is XPath. Write a CSS selector: //div[@class="a"]/a is div.a > a.'
  if (/::attr\(/.test(selector)) return 'Write the selector without ::attr(…) and the name of the attribute into attribute.'
  if (/::text/.test(selector)) return 'Write it without ::text: text is what is read.'
  return 'Write a CSS selector, for example table.prices td:nth-child(2).'
}

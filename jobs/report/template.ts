/** The places of a template: `{{query}}` and `{word}`. */
import { PermanentError } from '../../systemscripts/errors.ts'

export interface Filling {
  /** What stands for `{{name}}`. */
  places: ReadonlyMap<string, string>
  /** What stands for `{name}`, as plain text. */
  words: ReadonlyMap<string, string>
  /** How a word is written where it stands: escaped in HTML. */
  write: (word: string) => string
}

/**
 * Fills every place in one pass, so that what was filled in is never taken for a place itself.
 *
 * @param what the column that holds the template, for messages
 * @throws PermanentError `place_not_filled` naming the first place that nothing fills
 */
export function fillTemplate(template: string, what: string, { places, words, write }: Filling): string {
  return template.replace(place, (found, query: string | undefined, word: string | undefined) => {
    const filled = query === undefined ? wordOf(word ?? '', words, write) : places.get(query)
    if (filled !== undefined) return filled
    throw new PermanentError('place_not_filled', `${what} of the report has a place ${found} that nothing fills`, {
      detail: `There is ${listOf(places, '{{', '}}')}; and ${listOf(words, '{', '}')}.`,
      hint: 'Correct the place, or add the query to dba.reportquery.',
    })
  })
}

/** Names in `{{…}}` that a template has. */
export function placesOf(template: string): Set<string> {
  const names = [...template.matchAll(place)].flatMap((match) => match[1] ?? [])
  return new Set(names)
}

/** A style sheet's `{color: red}` is no place: a word stands alone between its braces. */
const place = /\{\{\s*([A-Za-z]\w*(?:\.[a-z]+)?)\s*\}\}|\{([A-Za-z_]\w*)\}/g

function wordOf(name: string, words: ReadonlyMap<string, string>, write: (word: string) => string): string | undefined {
  const word = words.get(name)
  return word === undefined ? undefined : write(word)
}

function listOf(names: ReadonlyMap<string, string>, open: string, close: string): string {
  const list = [...names.keys()].map((name) => `${open}${name}${close}`)
  return list.length === 0 ? 'no query' : list.join(', ')
}

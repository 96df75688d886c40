/** Excel's own end. */
const LONGEST = 31

/**
 * A name that Excel takes: `[]:*?/\` and control characters become blanks, at most 31 characters, no apostrophe at the ends; `Sheet` when nothing is
 * left, and for `History`, which Excel keeps for itself.
 * @param number of the sheet from 1; from the second on it stands behind the name: `prices (2)`
 */
export function sheetName(wanted: string, number: number): string {
  const suffix = number === 1 ? '' : ` (${number})`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no sheet may have one in its name
  const plain = wanted.replace(/[[\]:*?/\\\x00-\x1f\uFFFE\uFFFF\s]+/g, ' ').toWellFormed()
  const short = cut(plain, LONGEST - suffix.length).replace(/^['\s]+|['\s]+$/g, '')
  const usable = short === '' || short.toLowerCase() === 'history' ? 'Sheet' : short
  return usable + suffix
}

/** Not within a pair of surrogates. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')
}

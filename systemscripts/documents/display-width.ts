/**
 * How many columns of a terminal a text takes: 2 for the wide letters of East Asia and for emoji, 0 for marks on the letter before, 1 for the rest.
 * After https://www.unicode.org/reports/tr11/, by ranges.
 */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const character of text) width += WIDE.test(character) ? 2 : NO_WIDTH.test(character) ? 0 : 1
  return width
}

const PLAIN = /^[\x20-\x7e\u00a0-\u02ff]*$/
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cc}\p{Cf}]/u
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u

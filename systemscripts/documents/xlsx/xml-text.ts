/**
 * Text between tags. What XML cannot hold is written as Excel writes it, `_x0008_`, and the underscore of a text that looks like that as `_x005F_`
 * (ISO/IEC 29500-1, 22.4.2.4, bstr). A line ends with a line feed alone, as in every sheet.
 */
export function xmlText(text: string): string {
  if (!NEEDS_CARE.test(text)) return text
  return text
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replace(/\r\n?/g, '\n')
    .replace(NO_XML, (character) => `_x${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`)
    .replace(/[&<>]/g, (character) => (character === '&' ? '&amp;' : character === '<' ? '&lt;' : '&gt;'))
}

/** In an attribute as well. */
export function xmlAttribute(text: string): string {
  return xmlText(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
const NO_XML = /[\x00-\x08\x0b\x0c\x0e-\x1f\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const NEEDS_CARE = /[&<>\x00-\x08\x0b-\x1f\uD800-\uDFFF\uFFFE\uFFFF]|_x/

import { decodeEscapes, decodeXml } from './xml-text.ts'
import { readToken, XmlError } from './xml-tokens.ts'
import { textOf, type XmlWindow } from './xml-window.ts'

/**
 * The text of a string element that begins at `at` (`<si>`, `<is>`): its runs joined, what it says of pronunciation (`<rPh>`) left out. Blanks
 * around a run stay, with `xml:space` or without: LibreOffice and SheetJS read it so too, and nothing is lost.
 * Null when the window ends within it.
 * @throws XmlError
 */
export function readRichText(window: XmlWindow, at: number): { text: string; end: number } | null {
  const path: string[] = []
  let text = ''
  let run = ''
  for (let next = at; ; ) {
    const token = readToken(window.text, next)
    if (token === null) return null
    next = token.end
    const isRun = path.at(-1) === 't' && !path.includes('rPh')
    if (token.kind === 'text' && isRun) run += decodeXml(textOf(window, token.from, token.to))
    if (token.kind === 'cdata' && isRun) run += textOf(window, token.from, token.to)
    if (token.kind === 'empty' && path.length === 0) return { text: '', end: next }
    if (token.kind === 'open') {
      path.push(token.name)
      run = ''
    }
    if (token.kind !== 'close') continue
    if (path.pop() !== token.name) throw new XmlError(`"</${token.name}>" ends what was not begun`)
    if (isRun) text += decodeEscapes(run)
    if (path.length === 0) return { text, end: next }
  }
}

import { workbookBroken, workbookTooLarge } from './refusals.ts'
import { utf8Xml } from './xlsx/xml-bytes.ts'
import { decodeXml } from './xlsx/xml-text.ts'
import { readAttributes, readToken, type Token, XmlError } from './xlsx/xml-tokens.ts'
import { textOf, type XmlWindow, xmlWindows } from './xlsx/xml-window.ts'

/** Value of an attribute by its name as written, entities replaced; null where there is none. */
export type Attributes = (name: string) => string | null

/** Told of a document's pieces in their order. Names of elements come without prefix. */
export interface XmlReader {
  open(name: string, attributes: Attributes): void
  close(name: string): void
  /** Text between elements, in pieces; null: nothing is done with text now. */
  text: ((text: string) => void) | null
}

const LARGEST_PIECE = 64 * 1024 * 1024
const DEEPEST = 1000

/**
 * Walks through a document, whatever its size and encoding, and stops after each stretch of it, so that what the reader gathered can be passed
 * on. Leave the walk to end it early. An empty element is an open and a close. A document type is refused, so there are no entities but the five
 * of XML.
 *
 * @throws PermanentError `workbook_broken` not well-formed, cut off; `workbook_too_large` a text of more than 64 MB
 */
export async function* walkXml(bytes: AsyncIterable<Buffer>, reader: XmlReader, fileName: string): AsyncGenerator<void> {
  const open: string[] = []
  let isEnded = false
  try {
    const tooLarge = (): Error => workbookTooLarge(fileName, `A cell of it is larger than ${LARGEST_PIECE} bytes.`)
    for await (const window of xmlWindows(utf8Xml(bytes), LARGEST_PIECE, tooLarge)) {
      readWindow(window)
      yield
    }
    if (open.length > 0 || !isEnded) throw new XmlError('it is cut off')
  } catch (error) {
    throw error instanceof XmlError ? workbookBroken(fileName, `Its XML cannot be read: ${error.message}.`, error) : error
  }

  function readWindow(window: XmlWindow): void {
    const { text } = window
    for (let at = 0; at < text.length; ) {
      const token = readToken(text, at)
      if (token === null) {
        // What is left behind the last element are blanks.
        if (window.isLast && text.startsWith('<', at)) throw new XmlError('it is cut off')
        if (!window.isLast) return
        window.used = text.length
        return
      }
      take(window, token)
      at = token.end
      window.used = at
    }
  }

  function take(window: XmlWindow, token: Token): void {
    switch (token.kind) {
      case 'open':
      case 'empty':
        if (isEnded || open.length > DEEPEST)
          throw new XmlError(isEnded ? 'it has more than one document in it' : 'it is nested too deeply')
        reader.open(token.name, attributesOf(window, token))
        open.push(token.name)
        if (token.kind === 'empty') close(token.name)
        return
      case 'close':
        close(token.name)
        return
      case 'text':
        reader.text?.(decodeXml(textOf(window, token.from, token.to)))
        return
      case 'cdata':
        reader.text?.(textOf(window, token.from, token.to))
    }
  }

  function close(name: string): void {
    if (open.pop() !== name) throw new XmlError(`"</${name}>" ends what was not begun`)
    isEnded = open.length === 0
    reader.close(name)
  }
}

function attributesOf(window: XmlWindow, token: Token): Attributes {
  let known: Map<string, string> | undefined
  return (name) => {
    const tag = known === undefined ? textOf(window, token.from, token.to) : ''
    known ??= readAttributes(tag, 0, tag.length)
    const raw = known.get(name)
    return raw === undefined ? null : decodeXml(raw)
  }
}

import { decodeEscapes, decodeXml } from './xml-text.ts'
import { readAttributes, readToken, type Token, XmlError } from './xml-tokens.ts'

/** An element of a small document. */
export interface XmlElement {
  /** Without prefix. */
  name: string
  /** Names of the elements around it, the outermost first. */
  path: string[]
  /** Value of the attribute of that name; null where there is none. */
  attribute(name: string): string | null
  /** The same for one that belongs to a namespace, whatever its prefix: `id` for `r:id`. */
  prefixedAttribute(name: string): string | null
}

/** The elements of a small document, in order, whatever prefixes it uses. @throws XmlError when it is not well-formed */
export function* xmlElements(xml: string): Generator<XmlElement> {
  const path: string[] = []
  let isEnded = false
  for (let at = 0; at < xml.length; ) {
    const token = readToken(xml, at)
    if (token === null) {
      if (path.length > 0 || xml.startsWith('<', at)) throw new XmlError('it is cut off')
      break
    }
    at = token.end
    if (token.kind === 'close') {
      if (path.pop() !== token.name) throw new XmlError(`"</${token.name}>" ends what was not begun`)
      isEnded = path.length === 0
    }
    if (token.kind !== 'open' && token.kind !== 'empty') continue
    yield elementOf(xml, token, [...path])
    if (token.kind === 'open') path.push(token.name)
  }
  if (path.length > 0 || (!isEnded && !/<[^?!]/.test(xml))) throw new XmlError('it is cut off')
}

function elementOf(xml: string, token: Token, path: string[]): XmlElement {
  let known: Map<string, string> | undefined
  const attributes = (): Map<string, string> => (known ??= readAttributes(xml, token.from, token.to))
  return {
    name: token.name,
    path,
    attribute: (name) => decoded(attributes().get(name)),
    prefixedAttribute: (name) => decoded([...attributes()].find(([written]) => written.endsWith(`:${name}`))?.[1]),
  }
}

function decoded(raw: string | undefined): string | null {
  return raw === undefined ? null : decodeEscapes(decodeXml(raw))
}

import { jsonBroken } from './refusals.ts'

const BLANK = /[ \t\r\n]*/y
/** Python also writes NaN and Infinity. */
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity/y
const QUOTE = 34
const BACKSLASH = 92

/**
 * Gives key and value of each member of an object, in order: strings as what they mean, numbers and what is nested as their text; `isTyped` of
 * numbers, true and false.
 * @param text from `{` to `}`
 * @throws PermanentError `json_broken`
 */
export function parseRecord(
  text: string,
  line: number,
  fileName: string,
  give: (key: string, value: string | null, isTyped: boolean) => void,
): void {
  let at = skipBlanks(text, 1)
  for (let isAtEnd = text[at] === '}'; !isAtEnd; ) {
    const keyEnd = endOfString(at)
    const key = stringOf(at, keyEnd)
    at = skipBlanks(text, keyEnd)
    if (text[at] !== ':') throw broken(at)
    at = skipBlanks(text, at + 1)
    at = skipBlanks(text, takeValue(key, at))
    const next = text[at]
    at = skipBlanks(text, at + 1)
    isAtEnd = next === '}'
    if (!isAtEnd && next !== ',') throw broken(at - 1)
  }

  /** Gives the value that begins there; returns where it ends. */
  function takeValue(key: string, from: number): number {
    const first = text[from]
    if (first === '"') {
      const end = endOfString(from)
      give(key, stringOf(from, end), false)
      return end
    }
    if (first === '{' || first === '[') {
      const end = endOfNested(from)
      const nested = text.slice(from, end)
      refuseUnlessJson(nested, from)
      give(key, nested, false)
      return end
    }
    PLAIN.lastIndex = from
    const plain = PLAIN.exec(text)?.[0]
    if (plain === undefined) throw broken(from)
    give(key, plain === 'null' ? null : plain, plain !== 'null')
    return from + plain.length
  }

  function stringOf(from: number, end: number): string {
    const inner = text.slice(from + 1, end - 1)
    if (!inner.includes('\\')) return inner
    try {
      return String(JSON.parse(text.slice(from, end)))
    } catch {
      // A line end within a string is no JSON either, but is what it says.
      throw broken(from)
    }
  }

  function endOfString(from: number): number {
    if (text.charCodeAt(from) !== QUOTE) throw broken(from)
    for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
      let slashes = 0
      while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1
      if (slashes % 2 === 0) return end + 1
    }
    throw broken(from)
  }

  function endOfNested(from: number): number {
    let depth = 0
    for (let at = from; at < text.length; at += 1) {
      const character = text[at]
      if (character === '"') at = endOfString(at) - 1
      else if (character === '{' || character === '[') depth += 1
      else if ((character === '}' || character === ']') && --depth === 0) return at + 1
    }
    throw broken(from)
  }

  function refuseUnlessJson(nested: string, at: number): void {
    try {
      JSON.parse(nested)
    } catch {
      throw broken(at)
    }
  }

  function broken(at: number): Error {
    const before = text.slice(0, at)
    return jsonBroken(
      fileName,
      line + before.split('\n').length - 1,
      `Read until ${JSON.stringify(before.slice(-30))}, then ${JSON.stringify(text.slice(at, at + 30))}.`,
    )
  }
}

function skipBlanks(text: string, from: number): number {
  const code = text.charCodeAt(from)
  if (code > 32) return from
  BLANK.lastIndex = from
  BLANK.test(text)
  return BLANK.lastIndex
}

import { readAnyCell } from './any-cell.ts'
import { readFast } from './fast-row.ts'
import type { RowBuilder } from './row-builder.ts'
import { readAttributes, readToken, type Token, XmlError } from './xml-tokens.ts'
import { isCutOff, type XmlWindow } from './xml-window.ts'

export interface SheetScanner {
  /** Reads on in the window; true when it stopped because a batch is full, false when it needs the next window. @throws XmlError */
  scan(window: XmlWindow): boolean
}

/** So much of the end is looked at for the end of the sheet. */
const TAIL = 4096

/**
 * Gives the builder the rows of a worksheet. What is written as it mostly is goes through readFast; all else, prefixes, comments, CDATA, unknown
 * elements, piece by piece through readToken, with the same result.
 */
export function createSheetScanner(builder: RowBuilder): SheetScanner {
  let place: 'before' | 'rows' | 'after' = 'before'
  let root: Token | null = null
  let tail = ''
  return { scan }

  function scan(window: XmlWindow): boolean {
    while (place !== 'after') {
      if (builder.isFull()) return true
      const at = window.used
      const fast = place === 'rows' && root?.prefix === '' ? readFast(window, builder, at) : at
      if (fast === at && isCutOff(window)) break
      const end = fast === at ? readPiece(window, at) : fast
      if (end === null) break
      window.used = end
    }
    if (place === 'after') {
      tail = (tail + window.text.slice(window.used)).slice(-TAIL)
      window.used = window.text.length
    }
    if (window.isLast) checkEnd()
    return false
  }

  /** Whatever stands at `at`; gives the place behind it, or null when the window ends within it. */
  function readPiece(window: XmlWindow, at: number): number | null {
    const token = readToken(window.text, at)
    if (token === null) return null
    if (token.kind === 'other') return token.end
    if (token.kind === 'text' || token.kind === 'cdata') {
      if (place === 'rows' && window.text.slice(token.from, token.to).trim() !== '') throw new XmlError('text stands between the cells')
      return token.end
    }
    if (root === null) return readRoot(token)
    // Elements of other namespaces are passed over.
    const name = token.prefix === root.prefix ? token.name : ''
    if (place === 'before') return readBefore(token, name, at)
    return token.kind === 'close' ? readEnd(token, name) : readStart(window, token, name)
  }

  function readRoot(token: Token): number {
    if (token.name !== 'worksheet' || token.kind === 'close')
      throw new XmlError(`the sheet begins with "${token.name}" instead of "worksheet"`)
    root = token
    if (token.kind === 'empty') {
      place = 'after'
      tail = endTag(token)
    }
    return token.end
  }

  function readBefore(token: Token, name: string, at: number): number {
    if (name === 'sheetData' && token.kind !== 'close') place = token.kind === 'open' ? 'rows' : 'after'
    if (name !== 'worksheet' || token.kind !== 'close') return token.end
    place = 'after'
    return at
  }

  function readEnd(token: Token, name: string): number {
    if (name === 'row' && builder.isInRow) builder.endRow()
    else if (name === 'sheetData' && !builder.isInRow) place = 'after'
    else throw new XmlError(`"</${token.name}>" ends what was not begun`)
    return token.end
  }

  function readStart(window: XmlWindow, token: Token, name: string): number | null {
    if (name === 'c' && builder.isInRow) return readAnyCell(window, builder, token)
    if (name !== 'row') return token.kind === 'empty' ? token.end : behindElement(window.text, token.end)
    if (builder.isInRow) throw new XmlError('a row stands within a row')
    const attributes = readAttributes(window.text, token.from, token.to)
    builder.startRow(rowNumber(attributes.get('r')), /^(1|true|on)$/.test(attributes.get('hidden') ?? ''))
    if (token.kind === 'empty') builder.endRow()
    return token.end
  }

  /** A part may be whole by its checksum and yet have lost its end before it was packed. */
  function checkEnd(): void {
    if (root === null || place !== 'after' || !tail.includes(endTag(root))) throw new XmlError('the sheet is cut off')
  }
}

function endTag(root: Token): string {
  return `</${root.prefix === '' ? '' : `${root.prefix}:`}${root.name}`
}

/** Place behind the element whose start tag ends at `from`; null when it is cut off. */
function behindElement(text: string, from: number): number | null {
  let depth = 1
  for (let at = from; ; ) {
    const token = readToken(text, at)
    if (token === null) return null
    at = token.end
    if (token.kind === 'open') depth += 1
    if (token.kind !== 'close') continue
    depth -= 1
    if (depth === 0) return at
  }
}

/** 0 where a row does not say it. */
function rowNumber(written: string | undefined): number {
  if (written === undefined) return 0
  const number = Number(written)
  if (!Number.isInteger(number) || number < 1) throw new XmlError(`"${written}" is no number of a row`)
  return number
}

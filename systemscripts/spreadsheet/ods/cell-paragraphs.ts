import { XmlError } from '../xlsx/xml-tokens.ts'
import type { Attributes } from '../xml-walk.ts'

/**
 * The text of a cell's paragraphs as it is walked through: blanks of the source joined, `text:s`, tabs and line breaks as what they stand for,
 * paragraphs as lines. What belongs to the cell but not to its text (notes, drawings, phonetic guides) is left out.
 */
export interface CellParagraphs {
  open(name: string, attributes: Attributes): void
  close(name: string): void
  text(text: string): void
  /** The text since the last taking. */
  take(): string
}

/** Stated by their number, blanks are the only way in which a small cell holds a long text. */
const MOST_BLANKS = 1_000_000
const INLINE = new Set([
  'span',
  'a',
  'ruby',
  'ruby-base',
  's',
  'tab',
  'line-break',
  'title',
  'date',
  'time',
  'sheet-name',
  'meta',
  'meta-field',
])

export function createCellParagraphs(): CellParagraphs {
  let lines: string[] = []
  let line: string | null = null
  let skipped = 0
  let blanks = 0
  /** Whether a blank that comes next joins the one before, or begins the paragraph. */
  let joinsBlank = true
  return { open, close, text, take }

  function open(name: string, attributes: Attributes): void {
    if (skipped > 0) skipped += 1
    else if (line === null) {
      if (name === 'p' || name === 'h') line = ''
      else skipped = 1
      joinsBlank = true
    } else if (name === 's') add(' '.repeat(Math.min(Number(attributes('text:c') ?? 1) || 1, 10_000)))
    else if (name === 'tab') add('\t')
    else if (name === 'line-break') add('\n')
    else if (!INLINE.has(name)) skipped = 1
  }

  function add(stated: string): void {
    blanks += stated.length
    if (blanks > MOST_BLANKS) throw new XmlError(`a cell holds more than ${MOST_BLANKS} blanks`)
    line += stated
    joinsBlank = false
  }

  function close(name: string): void {
    if (skipped > 0) skipped -= 1
    else if (line !== null && (name === 'p' || name === 'h')) {
      lines.push(line)
      line = null
    }
  }

  function text(text: string): void {
    if (skipped > 0 || line === null || text === '') return
    const joined = text.replace(/[ \t\r\n]+/g, ' ')
    line += joinsBlank && joined.startsWith(' ') ? joined.slice(1) : joined
    joinsBlank = joined.endsWith(' ')
  }

  function take(): string {
    const all = lines.join('\n')
    lines = []
    blanks = 0
    return all
  }
}

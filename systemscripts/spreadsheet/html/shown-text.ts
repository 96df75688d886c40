import type { load } from 'cheerio'

type Node = Exclude<Parameters<typeof load>[0], string | Buffer | unknown[]>
export type Element = Extract<Node, { attribs: object }>

const BLOCKS = new Set(['p', 'div', 'li', 'ul', 'ol', 'tr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table'])
const UNSHOWN = new Set(['script', 'style', 'template', 'noscript'])

/** Text of a cell as shown: blanks joined, `<br>` and paragraphs as line breaks, what is hidden left out; null when nothing is. */
export function shownText(cell: Element): string | null {
  const text = piecesOf(cell)
    .join('')
    .split('\n')
    .map((line) => line.replace(/[\s\u00a0]+/g, ' ').trim())
    .join('\n')
    .replace(/\n{2,}/g, '\n')
    .trim()
  return text === '' ? null : text
}

export function isHidden(element: Element): boolean {
  return 'hidden' in element.attribs || /display\s*:\s*none|visibility\s*:\s*collapse/i.test(element.attribs.style ?? '')
}

/** Blanks and line ends of the source are blanks; only `<br>` and blocks break the line. Keeps its own stack: pages nest as deep as they like. */
function piecesOf(cell: Element): string[] {
  const pieces: string[] = []
  const waiting: (Element['children'][number] | '\n')[] = [...cell.children].reverse()
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === '\n') pieces.push(node)
    else if (node.type === 'text') pieces.push(node.data.replace(/[\t\n\f\r ]+/g, ' '))
    if (node === '\n' || node.type !== 'tag' || UNSHOWN.has(node.name) || isHidden(node)) continue
    const isBlock = BLOCKS.has(node.name)
    if (isBlock || node.name === 'br') pieces.push('\n')
    if (isBlock) waiting.push('\n')
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      const child = node.children[index]
      if (child !== undefined) waiting.push(child)
    }
  }
  return pieces
}

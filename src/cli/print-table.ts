/** One column of a printed table. */
export interface Column<Row> {
  title: string
  /** Null is printed as nothing. */
  text(row: Row): string | null
  /** Numbers stand to the right. Default: left. */
  align?: 'left' | 'right'
}

/**
 * Plain columns, two blanks apart, titles in capitals: for eyes, `cut` and `awk`. Every value stays on its line and cannot steer the
 * terminal. With a width, the last column is cut where the line would break.
 *
 * @returns the lines; only the titles when there are no rows.
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width?: number): string[] {
  const titles = columns.map(({ title }) => title.toUpperCase())
  const cells = [titles, ...rows.map((row) => columns.map((column) => plain(column.text(row) ?? '')))]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => lengthOf(line[index] ?? ''))))
  return cells.map((line) => {
    const padded = line.map((cell, index) => {
      const blanks = ' '.repeat((widths[index] ?? 0) - lengthOf(cell))
      return columns[index]?.align === 'right' ? blanks + cell : cell + blanks
    })
    return cut(padded.join('  ').trimEnd(), width)
  })
}

/** One line of visible text: line breaks and control characters, which may come from a file's name, are shown as such. */
export function plain(text: string): string {
  return text.replace(/\r?\n/g, ' ⏎ ').replace(/\t/g, ' ').replace(controlCharacters, '�')
}

/** Text of several lines that cannot steer the terminal. */
export function plainLines(text: string): string {
  return text.replace(controlCharacters, (found) => (found === '\n' || found === '\t' ? found : '�'))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/g

function lengthOf(text: string): number {
  return Array.from(text).length
}

function cut(line: string, width: number | undefined): string {
  if (width === undefined || lengthOf(line) <= width) return line
  return `${Array.from(line)
    .slice(0, Math.max(1, width - 1))
    .join('')}…`
}

/**
 * One name for each column from header lines that stand under each other, top line first: what stands in them joined by a blank. In every line
 * but the last a blank takes the name to its left, as long as the line below names the column: so merged cells reach over their columns. A name
 * that repeats the one above it is written once.
 */
export function joinedNames(lines: (string | null)[][]): (string | null)[] {
  const [only] = lines
  if (only === undefined) return []
  if (lines.length === 1) return only
  const width = Math.max(...lines.map((line) => line.length))
  const spread = lines.map((line, index) => (index === lines.length - 1 ? line : spreadRight(line, lines[index + 1] ?? [], width)))
  return Array.from({ length: width }, (_, column) => {
    const parts = spread.map((line) => line[column]?.trim() ?? '').filter((part, index, all) => part !== '' && part !== all[index - 1])
    return parts.length === 0 ? null : parts.join(' ')
  })
}

function spreadRight(line: (string | null)[], below: (string | null)[], width: number): (string | null)[] {
  const filled: (string | null)[] = []
  let left: string | null = null
  for (let column = 0; column < width; column += 1) {
    const own = line[column]?.trim() ? (line[column] ?? null) : null
    if (own !== null) left = own
    else if (!below[column]?.trim()) left = null
    filled.push(own ?? left)
  }
  return filled
}

/**
 * Keys by which the row of a table is written as an object: the header; where it is blank `column_3`, by its place; where it came before,
 * `name_2`. They are different from each other.
 */
export function headerKeys(headers: string[]): string[] {
  const taken = new Set<string>()
  // By name, so that ten thousand of one name are not counted from the start each time.
  const next = new Map<string, number>()
  return headers.map((header, index) => {
    const name = header.trim() === '' ? strayKey(index) : header
    let key = name
    if (taken.has(name)) {
      let copy = next.get(name) ?? 2
      while (taken.has(`${name}_${copy}`)) copy += 1
      key = `${name}_${copy}`
      next.set(name, copy + 1)
    }
    taken.add(key)
    return key
  })
}

/** Key of a value that stands where no header is; `column` from 0. */
export function strayKey(column: number): string {
  return `column_${column + 1}`
}

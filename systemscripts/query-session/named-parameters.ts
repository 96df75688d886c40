/** A statement with its places for values numbered as Postgres wants them. */
export interface BoundStatement {
  text: string
  values: (string | null)[]
}

/**
 * Puts `$1`, `$2` … where a text says `:name` of a known name, outside of quotes, comments and casts. Unknown names are left for Postgres
 * to refuse, since `a[1:n]` is no parameter.
 *
 * @param known values by name, in Postgres's text form; upper or lower case of the names counts.
 * @param typed names whose place gets a cast: `{ as_of: 'timestamptz' }`.
 */
export function bindNamed(
  text: string,
  known: ReadonlyMap<string, string | null>,
  typed: ReadonlyMap<string, string> = new Map(),
): BoundStatement {
  const values: (string | null)[] = []
  const numbers = new Map<string, number>()
  const bound = text.replace(piece, (found: string, _dollar: string | undefined, name: string | undefined) => {
    const value = name === undefined ? undefined : known.get(name)
    if (name === undefined || value === undefined) return found
    let number = numbers.get(name)
    if (number === undefined) {
      values.push(value)
      number = values.length
      numbers.set(name, number)
    }
    const type = typed.get(name)
    return type === undefined ? `$${number}` : `$${number}::${type}`
  })
  return { text: bound, values }
}

/** Names that a text uses as `:name`, of those that are known. */
export function namesUsed(text: string, known: Iterable<string>): Set<string> {
  const of = new Set(known)
  const used = new Set<string>()
  for (const match of text.matchAll(piece)) {
    const name = match[2]
    if (name !== undefined && of.has(name)) used.add(name)
  }
  return used
}

/**
 * What is passed over whole: quoted texts, names, bodies, comments, `::`; and `:name`. An escape string may hold `\'`; nested comments are
 * passed over up to their first end, which at worst leaves a name in a comment bound.
 */
const piece =
  /\b[eE]'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|::|:([A-Za-z_]\w*)/g

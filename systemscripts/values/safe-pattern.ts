/** A regular expression and the longest text for which it surely comes to an end soon. */
export interface SafePattern {
  expression: RegExp
  /** In characters. */
  longestText: number
}

/** Whether a text matches. */
export interface TextTest {
  test(text: string): boolean
}

/** Compiles as compileSafely does; of a text that is longer than is safe only the beginning is looked at. */
export function textTest(source: string, refuse: (why: string) => Error): TextTest {
  const { expression, longestText } = compileSafely(source, '', refuse)
  return { test: (text) => expression.test(text.length > longestText ? text.slice(0, longestText) : text) }
}

/**
 * Compiles a regular expression that people wrote, and keeps out those that may take for ever: patterns of more than 200 characters, back
 * references, and groups that are repeated more than 20 times while they hold a repetition or alternatives themselves. Of what is left, the
 * steps are bounded by the length of the text to the power of the open repetitions (plus one, unless it begins with ^), times the choices
 * that it makes otherwise. `longestText` keeps that below a billion: seconds, for texts made to be slow, and nothing that is felt for others.
 *
 * @param refuse makes the error that is thrown for a pattern that is not taken, of a sentence that says why
 */
export function compileSafely(source: string, flags: string, refuse: (why: string) => Error): SafePattern {
  if (source.length > LONGEST_PATTERN) throw refuse(`A pattern has at most ${LONGEST_PATTERN} characters.`)
  if (!/^(g?i?|ig)$/.test(flags)) throw refuse(`Behind /${source}/ only g (all of them) and i (case does not count) may stand.`)
  let expression: RegExp
  try {
    expression = new RegExp(source, `u${flags}`)
  } catch (error) {
    throw refuse(`/${source}/ is no regular expression: ${error instanceof Error ? error.message.replace(/^.*: /s, '') : String(error)}.`)
  }
  const longestText = longestTextFor(source, refuse)
  if (longestText < SHORTEST_LIMIT) throw refuse(`/${source}/ has so many repetitions and alternatives that it can take for ever.`)
  return { expression, longestText }
}

const LONGEST_PATTERN = 200
const LONGEST_TEXT = 10_000
/** A pattern that may be given no more than so many characters is of no use. */
const SHORTEST_LIMIT = 100
const MOST_STEPS = 1e9
/** Up to so many times, a repetition counts as if it were written out. */
const WRITTEN_OUT = 20

interface Cost {
  /** Repetitions without a limit on the way through. */
  open: number
  /** Ways through otherwise, as a power of two. */
  choices: number
  /** Whether it can match in more than one way. */
  varies: boolean
}

/** Of a pattern that JavaScript has taken. */
function longestTextFor(source: string, refuse: (why: string) => Error): number {
  let at = 0
  let longest = LONGEST_TEXT
  for (;;) {
    const starts = source[at] === '^' ? 0 : 1
    const { open, choices } = sequence()
    const power = open + starts
    const steps = MOST_STEPS * factorial(power) * 2 ** -choices
    longest = Math.min(longest, power === 0 ? (steps < 1 ? 0 : LONGEST_TEXT) : Math.floor(steps ** (1 / power)))
    if (source[at] !== '|') return longest
    at += 1
  }

  function sequence(): Cost {
    const cost: Cost = { open: 0, choices: 0, varies: false }
    while (at < source.length && source[at] !== '|' && source[at] !== ')') {
      const part = repeated(atom())
      cost.open += part.open
      cost.choices += part.choices
      cost.varies ||= part.varies
    }
    return cost
  }

  function atom(): Cost {
    if (source[at] === '(') return group()
    const reference = /\\(?:[1-9]|k<)/y
    reference.lastIndex = at
    if (reference.test(source)) throw refuse(`/${source}/ refers back to a group, which can take for ever.`)
    const single = /\\[pPu]\{[^}]*\}|\\.|\[(?:[^\]\\]|\\.)*\]|./suy
    single.lastIndex = at
    at += single.exec(source)?.[0].length ?? 1
    return { open: 0, choices: 0, varies: false }
  }

  function group(): Cost {
    const head = /\((?:\?(?:<?[=!]|:|<[^>]*>))?/y
    head.lastIndex = at
    at += head.exec(source)?.[0].length ?? 1
    const ways = [sequence()]
    while (source[at] === '|') {
      at += 1
      ways.push(sequence())
    }
    at += 1
    return {
      open: Math.max(...ways.map(({ open }) => open)),
      choices: Math.max(...ways.map(({ choices }) => choices)) + Math.log2(ways.length),
      varies: ways.length > 1 || ways.some(({ varies }) => varies),
    }
  }

  function repeated(inner: Cost): Cost {
    const repetition = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y
    repetition.lastIndex = at
    const match = repetition.exec(source)
    if (match === null) return inner
    at = repetition.lastIndex
    const [, sign, least, comma, most] = match
    const from = least === undefined ? (sign === '+' ? 1 : 0) : Number(least)
    const to =
      sign === '?' ? 1 : sign !== undefined || (comma !== undefined && most === '') ? Number.POSITIVE_INFINITY : Number(most ?? least)
    if (to <= WRITTEN_OUT)
      return { open: inner.open * to, choices: inner.choices * to + Math.log2(to - from + 1), varies: inner.varies || to !== from }
    if (inner.varies) throw refuse(`/${source}/ repeats a group that holds a repetition or alternatives, which can take for ever.`)
    return { open: to === from ? 0 : 1, choices: 0, varies: to !== from }
  }
}

function factorial(number: number): number {
  return number <= 1 ? 1 : number * factorial(number - 1)
}

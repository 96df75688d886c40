/** Takes one character of the text. */
type Takes = (character: string) => boolean

type Part =
  | { kind: 'one'; takes: Takes }
  | { kind: 'any number'; takes: Takes }
  | { kind: 'perhaps'; parts: Part[] }
  | { kind: 'one of'; ways: Part[][] }

/**
 * A test of whole texts: `*` any characters, `?` one, `[abc]` `[a-z]` `[!a]` one of them or none of them, `{csv,txt}` alternatives, `\` takes the next
 * character as it is. `*`, `?` and `[!a]` take no slash; `**` does, and `**` with a slash behind it is any folders or none. Upper and lower case differ.
 *
 * The time it takes is that of the glob's length times the text's, whatever they are: all ways through are gone at once, none is tried after another
 * (https://swtch.com/~rsc/regexp/regexp1.html).
 *
 * @throws Error for a set or a brace that cannot be read
 */
export function globTest(glob: string): (text: string) => boolean {
  const { steps, first } = stepsOf(partsOf(glob))
  const seenAt = new Int32Array(steps.length)
  let moment = 0

  return (text) => {
    let reached = reach([first])
    for (const character of text) {
      reached = reach(reached.flatMap((at) => (steps[at]?.takes?.(character) ? [steps[at].next] : [])))
      if (reached.length === 0) return false
    }
    return reached.includes(END)
  }

  /** These steps, and those that follow them without a character; each once. */
  function reach(from: number[]): number[] {
    moment += 1
    const reached: number[] = []
    for (let at = from.pop(); at !== undefined; at = from.pop()) {
      if (seenAt[at] === moment) continue
      seenAt[at] = moment
      reached.push(at)
      from.push(...(steps[at]?.freely ?? []))
    }
    return reached
  }
}

interface Step {
  /** Null: no character leads on from here. */
  takes: Takes | null
  next: number
  /** Where it goes on without a character. */
  freely: number[]
}

const END = 0

function stepsOf(parts: Part[]): { steps: Step[]; first: number } {
  const steps: Step[] = [{ takes: null, next: END, freely: [] }]
  return { first: before(END, parts), steps }

  /** From the last to the first, so that each knows what follows it. */
  function before(next: number, sequence: Part[]): number {
    return sequence.reduceRight((following, part) => add(part, following), next)
  }

  function add(part: Part, next: number): number {
    if (part.kind === 'one') return steps.push({ takes: part.takes, next, freely: [] }) - 1
    if (part.kind === 'any number') return steps.push({ takes: part.takes, next: steps.length, freely: [next] }) - 1
    const freely = part.kind === 'one of' ? part.ways.map((way) => before(next, way)) : [before(next, part.parts), next]
    return steps.push({ takes: null, next: END, freely }) - 1
  }
}

const anything: Takes = () => true
const noSlash: Takes = (character) => character !== '/'
const slash: Takes = (character) => character === '/'

/** @throws Error when a brace or a set cannot be read */
function partsOf(glob: string): Part[] {
  const lastBrace = glob.lastIndexOf('}')
  const set = /\[([!^]?)(\]?[^\]]*)\]/y
  const whole: Part[] = []
  // The alternatives that are open, the innermost last.
  const open: Part[][][] = []
  let parts = whole
  for (let at = 0; at < glob.length; at += 1) {
    set.lastIndex = at
    const found = glob[at] === '[' ? set.exec(glob) : null
    if (glob.startsWith('**/', at)) {
      parts.push({
        kind: 'perhaps',
        parts: [
          { kind: 'any number', takes: anything },
          { kind: 'one', takes: slash },
        ],
      })
      at += 2
    } else if (glob.startsWith('**', at)) {
      parts.push({ kind: 'any number', takes: anything })
      at += 1
    } else if (glob[at] === '*') parts.push({ kind: 'any number', takes: noSlash })
    else if (glob[at] === '?') parts.push({ kind: 'one', takes: noSlash })
    else if (found?.[2]) {
      parts.push({ kind: 'one', takes: takesOf(found[1] !== '', found[2]) })
      at += found[0].length - 1
    } else if (glob[at] === '{' && at < lastBrace) {
      const ways: Part[][] = [[]]
      parts.push({ kind: 'one of', ways })
      open.push(ways)
      parts = ways[0] ?? whole
    } else if (glob[at] === ',' && open.length > 0) {
      parts = []
      open.at(-1)?.push(parts)
    } else if (glob[at] === '}' && open.length > 0) {
      open.pop()
      // What follows the brace goes on where the brace itself stands.
      parts = open.at(-1)?.at(-1) ?? whole
    } else {
      if (glob[at] === '\\' && at + 1 < glob.length) at += 1
      const character = String.fromCodePoint(glob.codePointAt(at) ?? 0)
      parts.push({ kind: 'one', takes: (other) => other === character })
      at += character.length - 1
    }
  }
  if (open.length > 0) throw new Error('A brace { has no } that closes it.')
  return whole
}

/** @throws Error for a range that goes backwards */
function takesOf(isNoneOf: boolean, members: string): Takes {
  const expression = new RegExp(`[${isNoneOf ? '^/' : ''}${members.replace(/[\\\][^|]/g, '\\$&')}]`, 'u')
  return (character) => expression.test(character)
}

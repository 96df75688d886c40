import { PermanentError } from '../errors.ts'

export interface TransformStep {
  name: string
  args: TransformArg[]
}

export type TransformArg =
  | { kind: 'text'; value: string }
  | { kind: 'number'; value: number }
  | { kind: 'pattern'; source: string; flags: string }

/**
 * Takes a transform apart: `trim | regexp_replace(/[.]0$/, "")`. Steps stand between `|` or `,`, blanks between parts do not count.
 *
 * @throws PermanentError `transform_invalid`
 */
export function parseTransform(text: string): TransformStep[] {
  let at = 0
  const steps: TransformStep[] = []
  for (;;) {
    steps.push(step())
    skipBlanks()
    if (at === text.length) return steps
    if (text[at] !== '|' && text[at] !== ',')
      throw transformInvalid(text, `After ${steps.at(-1)?.name} there is ${rest()}, not | or a comma.`)
    at += 1
  }

  function step(): TransformStep {
    const name = take(/\s*([a-z_]+)\s*/iy)?.[1]?.toLowerCase()
    if (name === undefined) throw transformInvalid(text, at >= text.length ? 'A step is missing at its end.' : `${rest()} begins no step.`)
    const args: TransformArg[] = []
    if (text[at] !== '(') return { name, args }
    do {
      at += 1
      args.push(arg(name))
      skipBlanks()
    } while (text[at] === ',')
    if (text[at] !== ')') throw transformInvalid(text, `The parenthesis of ${name} is not closed.`)
    at += 1
    return { name, args }
  }

  function arg(name: string): TransformArg {
    skipBlanks()
    const quoted = take(/"((?:[^"\\]|\\[\s\S])*)"/y)?.[1]
    if (quoted !== undefined) return { kind: 'text', value: quoted }
    const pattern = take(/\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([a-z]*)/y)
    if (pattern !== null) return { kind: 'pattern', source: pattern[1] ?? '', flags: pattern[2] ?? '' }
    const number = take(/\d{1,6}/y)?.[0]
    if (number !== undefined) return { kind: 'number', value: Number(number) }
    throw transformInvalid(text, `In ${name}, ${rest()} is neither "text" in double quotes nor a number nor a /pattern/.`)
  }

  function take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = at
    const match = expression.exec(text)
    if (match !== null) at = expression.lastIndex
    return match
  }

  function skipBlanks(): void {
    take(/\s*/y)
  }

  function rest(): string {
    return at >= text.length ? 'nothing' : `"${text.slice(at, at + 20)}"`
  }
}

/** Of a quoted text: \" \\ \n \t. Anything else behind a backslash stays, backslash and all. */
export function unescaped(quoted: string): string {
  return quoted.replace(/\\(["\\nt])/g, (_, sign: string) => (sign === 'n' ? '\n' : sign === 't' ? '\t' : sign))
}

export function transformInvalid(text: string, why: string): PermanentError {
  return new PermanentError('transform_invalid', `Transform "${text}" is not right`, {
    detail: why,
    hint: 'Write steps with | between them: trim upper lower collapse digits nullif_blank prefix("…") suffix("…") lpad(n, "0") replace("…", "…") regexp_replace(/…/g, "…") date("dd.MM.yyyy").',
  })
}

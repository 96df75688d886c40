import { PermanentError } from './errors.ts'
import { compileSafely } from './values/safe-pattern.ts'

export type PatternKind = 'glob' | 'regex'

/** Beginnings and ends of names that programs give to files they still write, lock or back up. */
const UNFINISHED_STARTS = ['.', '~']
const UNFINISHED_ENDS = ['~', '.part', '.partial', '.filepart', '.tmp', '.temp', '.crdownload', '.download', '.swp', '.lock', '.writing']

/**
 * A test for file names. It always means the whole name; upper and lower case differ.
 *
 * glob: `*` any characters, `?` one, `[abc]` `[a-z]` `[!a]` one of them or none of them, `{csv,txt}` alternatives, `\` takes the next
 * character as it is. A pattern with `/` is for the path below the folder; there `*` stays within one folder and `**` does not.
 * regex: JavaScript's, with the u flag; none that could look at a name for ever.
 *
 * Hidden and unfinished names (`.x`, `~$x.xlsx`, `x.part`, `x.tmp` …) match only when the pattern begins or ends with just that.
 *
 * @throws PermanentError `file_pattern_invalid`
 */
export function filePattern(pattern: string, kind: PatternKind): (name: string) => boolean {
  const regex = new RegExp(`^(?:${kind === 'glob' ? checkedGlob(pattern) : checkedRegex(pattern)})$`, 'us')
  const spoken = lastPart(kind === 'regex' ? spokenRegex(pattern) : pattern.replaceAll('\\', ''))
  return (name) => regex.test(name) && !isUnfinished(lastPart(name), spoken)
}

function checkedGlob(pattern: string): string {
  const expression = globExpression(pattern)
  try {
    new RegExp(expression, 'us')
    return expression
  } catch (cause) {
    throw patternInvalid(pattern, 'glob', cause instanceof Error ? cause.message : String(cause))
  }
}

function checkedRegex(pattern: string): string {
  compileSafely(`^(?:${pattern})$`, '', (why) => patternInvalid(pattern, 'regular expression that can be used', why))
  return pattern
}

function patternInvalid(pattern: string, what: string, why: string): PermanentError {
  return new PermanentError('file_pattern_invalid', `File pattern "${pattern}" is no ${what}`, {
    detail: why,
    hint: 'Correct file_pattern in the settings, or pattern_kind when it is meant the other way.',
  })
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A regular expression with its escapes resolved; the dot that means any character is no dot. */
function spokenRegex(pattern: string): string {
  return pattern
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/\\(.)|\./gs, (_, escaped?: string) => escaped ?? '?')
}

function isUnfinished(name: string, pattern: string): boolean {
  const start = UNFINISHED_STARTS.find((mark) => name.startsWith(mark))
  const end = UNFINISHED_ENDS.find((mark) => name.toLowerCase().endsWith(mark))
  return (start !== undefined && !pattern.startsWith(start)) || (end !== undefined && !pattern.toLowerCase().endsWith(end))
}

/** Stands for a star until all of the glob is read. */
const STAR = '\0'

function globExpression(glob: string): string {
  let expression = ''
  let depth = 0
  let isPlain = true
  for (let at = 0; at < glob.length; at += 1) {
    const rest = glob.slice(at)
    const set = /^\[([!^]?)(\]?[^\]]*)\]/.exec(rest)
    if (rest.startsWith('**/')) {
      expression += '(?:.*/)?'
      at += 2
      isPlain = false
    } else if (rest.startsWith('**')) {
      expression += '.*'
      at += 1
      isPlain = false
    } else if (rest.startsWith('*')) {
      expression += STAR
      isPlain &&= depth === 0
    } else if (rest.startsWith('?')) expression += '[^/]'
    else if (set?.[2]) {
      expression += `[${set[1] ? '^/' : ''}${set[2].replace(/[\\\][&^~|]/g, '\\$&')}]`
      at += set[0].length - 1
    } else if (rest.startsWith('{') && rest.includes('}')) {
      expression += '(?:'
      depth += 1
    } else if (rest.startsWith(',') && depth > 0) expression += '|'
    else if (rest.startsWith('}') && depth > 0) {
      expression += ')'
      depth -= 1
    } else {
      const isEscape = rest.startsWith('\\') && rest.length > 1
      const character = String.fromCodePoint(rest.codePointAt(isEscape ? 1 : 0) ?? 0)
      expression += escapedLiteral(character)
      at += character.length - 1 + (isEscape ? 1 : 0)
    }
  }
  const [first = '', ...others] = expression.split(STAR)
  const [last, ...between] = others.toReversed()
  if (!isPlain || between.some((part) => part.includes('(?:'))) return expression.replaceAll(STAR, '[^/]*')
  return first + between.toReversed().map(soonest).join('') + (last === undefined ? '' : `[^/]*${last}`)
}

/** Where a part is found first is as good as anywhere, so that nothing else is tried: a name with many such places takes no time. */
function soonest(part: string, index: number): string {
  return `(?=([^/]*?${part}))(?:\\${index + 1})`
}

function escapedLiteral(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character
}

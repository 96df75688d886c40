import { PermanentError } from './errors.ts'
import { globTest } from './glob.ts'
import { compileSafely } from './values/safe-pattern.ts'

export type PatternKind = 'glob' | 'regex'

/** Beginnings and ends of names that programs give to files they still write, lock or back up. */
const UNFINISHED_STARTS = ['.', '~']
const UNFINISHED_ENDS = ['~', '.part', '.partial', '.filepart', '.tmp', '.temp', '.crdownload', '.download', '.swp', '.lock', '.writing']

/**
 * A test for file names. It always means the whole name; upper and lower case differ.
 *
 * glob: `*` any characters, `?` one, `[abc]` `[a-z]` `[!a]` one of them or none of them, `{csv,txt}` alternatives, `\` takes the next
 * character as it is. A pattern with `/` is for the path below the folder; there `*` stays within one folder and `**` does not. No glob and no
 * name takes long.
 * regex: JavaScript's, with the u flag; none that could look at a name for ever.
 *
 * Hidden and unfinished names (`.x`, `~$x.xlsx`, `x.part`, `x.tmp` …) match only when the pattern begins or ends with just that.
 *
 * @throws PermanentError `file_pattern_invalid`
 */
export function filePattern(pattern: string, kind: PatternKind): (name: string) => boolean {
  const test = kind === 'glob' ? checkedGlob(pattern) : checkedRegex(pattern)
  const spoken = lastPart(kind === 'regex' ? spokenRegex(pattern) : pattern.replaceAll('\\', ''))
  return (name) => test(name) && !isUnfinished(lastPart(name), spoken)
}

function checkedGlob(pattern: string): (name: string) => boolean {
  try {
    return globTest(pattern)
  } catch (cause) {
    throw patternInvalid(pattern, 'glob', cause instanceof Error ? cause.message : String(cause))
  }
}

function checkedRegex(pattern: string): (name: string) => boolean {
  compileSafely(`^(?:${pattern})$`, '', (why) => patternInvalid(pattern, 'regular expression that can be used', why))
  const regex = new RegExp(`^(?:${pattern})$`, 'us')
  return (name) => regex.test(name)
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

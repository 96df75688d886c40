import { PermanentError } from '../../errors.ts'
import { compileSafely } from '../../values/safe-pattern.ts'
import { runWatched } from './run-watched.ts'

/**
 * The first group that took part, else the whole match, of the first place where the pattern matches; null when it does nowhere.
 * @throws PermanentError `pattern_too_slow` after a second
 */
export type TextMatcher = (text: string) => string | null

/**
 * Compiles a regular expression that people wrote; case counts. Where its form and the length of the text promise an early end it runs as it
 * is, else under a watch that stops it after a second: pages are long, and a pattern that goes back and forth would hold up everybody else.
 *
 * @param place names it in messages: `pattern of column "price"`
 * @throws PermanentError `pattern_invalid`
 */
export function compileMatcher(source: string, place: string): TextMatcher {
  const expression = compile(source, place)
  const longestText = longestHarmless(source)
  return (text) => {
    const found = text.length <= longestText ? expression.exec(text) : execWatched(expression, text, source, place)
    return found === null ? null : (found.slice(1).find((group) => group !== undefined) ?? found[0])
  }
}

/** Beside Unicode mode, which reads some signs that need no backslash otherwise as errors, the other mode is tried. */
function compile(source: string, place: string): RegExp {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(source, flags)
    } catch (cause) {
      if (flags === 'u') continue
      throw new PermanentError('pattern_invalid', `The ${place} is no regular expression`, {
        detail: cause instanceof Error ? cause.message : String(cause),
        hint: 'Correct it in dba.scrapeconfig or dba.scrapefield.',
        cause,
      })
    }
  }
  throw new RangeError('unreachable')
}

function longestHarmless(source: string): number {
  try {
    return compileSafely(source, '', (why) => new PermanentError('pattern_not_harmless', why)).longestText
  } catch {
    return 0
  }
}

const WATCH_SECONDS = 1

function execWatched(expression: RegExp, text: string, source: string, place: string): RegExpExecArray | null {
  return runWatched(
    WATCH_SECONDS,
    () => expression.exec(text),
    () =>
      new PermanentError('pattern_too_slow', `The ${place} takes too long`, {
        detail: `/${source}/ was stopped after ${WATCH_SECONDS} s in a text of ${text.length} characters.`,
        hint: 'Write it without repetitions inside repetitions, or let a selector choose a shorter text.',
      }),
  )
}

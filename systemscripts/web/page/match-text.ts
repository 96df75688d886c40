import { createContext, Script } from 'node:vm'
import { PermanentError } from '../../errors.ts'
import { compileSafely } from '../../values/safe-pattern.ts'

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

const WATCH_MS = 1000

interface Watch {
  script: Script
  context: { expression: RegExp | null; text: string; found: RegExpExecArray | null }
}
let watch: Watch | null = null

/** V8 lets the watch of a script interrupt a regular expression, too. It costs a tenth of a millisecond. */
function execWatched(expression: RegExp, text: string, source: string, place: string): RegExpExecArray | null {
  watch ??= openWatch()
  const { script, context } = watch
  context.expression = expression
  context.text = text
  try {
    script.runInContext(context, { timeout: WATCH_MS })
    return context.found
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')) throw cause
    throw new PermanentError('pattern_too_slow', `The ${place} takes too long`, {
      detail: `/${source}/ was stopped after ${WATCH_MS / 1000} s in a text of ${text.length} characters.`,
      hint: 'Write it without repetitions inside repetitions, or let a selector choose a shorter text.',
    })
  } finally {
    context.expression = null
    context.text = ''
    context.found = null
  }
}

function openWatch(): Watch {
  const context = { expression: null, text: '', found: null }
  createContext(context)
  return { script: new Script('found = expression.exec(text)'), context }
}

import type { Language } from './legacy-languages.ts'

/** Of a character that the language does not have. */
const UNKNOWN = Math.log(0.0002)
/** Signs that stand beside words in any language: quotes, dashes, currencies, degrees. */
const SIGNS = new Set('€–—‘’‚“”„…•°§´·«»©®™£±²³½¼×\u00a0')
const SIGN = Math.log(0.02)
const ALONE = Math.log(0.02)

/** Logarithm of how likely the letters beyond ASCII in a word are, if it is of the language. Digits may stand in it. */
export function scoreOf(word: string, { letters, script }: Language): number {
  const lower = [...word].map(lowerCase).join('')
  let score = 0
  for (let at = 0; at < lower.length; at += 1) {
    const letter = lower[at] ?? ''
    if (letter <= '\x7f') {
      // Words of another script have no Latin letters in them.
      if (script !== null && /[a-z]/.test(letter)) score += UNKNOWN / 2
      continue
    }
    const [before = '', behind = ''] = [lower[at - 1], lower[at + 1]]
    const isInside = /[a-z]/.test(before) && /[a-z]/.test(behind)
    if (SIGNS.has(letter)) score += isInside && !(letter === '’' && isApostrophe(lower, at)) ? UNKNOWN : (letters.get(letter) ?? SIGN)
    else if (/\d/.test(before) && /\d/.test(behind)) score += UNKNOWN
    else if (isMixed(word, at)) score += UNKNOWN
    else score += (letters.get(letter) ?? UNKNOWN) + (isAlone(before, behind) && isOddAlone(letter, word[at] !== letter) ? ALONE : 0)
  }
  return score
}

/** Of one character one: İ would become two. */
function lowerCase(letter: string): string {
  return letter === 'İ' ? letter : letter.toLowerCase()
}

/** Whether a capital follows a small letter there, or behind it: `MźLler`. */
function isMixed(word: string, at: number): boolean {
  return /^\p{Ll}\p{Lu}/u.test(word.slice(Math.max(0, at - 1), at + 1)) || /^\p{Ll}[A-Z]/u.test(word.slice(at, at + 2))
}

/** As in it’s, O’Neill, l’eau, dell’arte. */
function isApostrophe(word: string, at: number): boolean {
  return /^(s|t|d|m|n|re|ve|ll|clock)$/.test(word.slice(at + 1)) || /^[a-z]$|(qu|ll|un|nt|st|gl)$/.test(word.slice(0, at))
}

function isAlone(before: string, behind: string): boolean {
  return !/\p{L}/u.test(before) && !/\p{L}/u.test(behind)
}

/** Such a letter makes no word by itself; what stands alone is rather a sign of another code page. */
function isOddAlone(letter: string, isCapital: boolean): boolean {
  const [base = ''] = letter.normalize('NFD')
  return isCapital || (/\p{Script=Latin}/u.test(letter) && !'aeiouæøœı'.includes(base))
}

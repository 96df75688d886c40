import { PermanentError } from '../errors.ts'
import type { ColumnType } from './column-type.ts'
import { type Converted, RefusedValue } from './refused-value.ts'
import type { TypeRule } from './type-rule.ts'

/**
 * `true` or `false`, by the words of Postgres, or by pairs such as `ja/nein | j/n` and true and false.
 *
 * @throws PermanentError `boolean_format_invalid`
 */
export function createBooleanConversion(_type: ColumnType, { column, format }: TypeRule): (text: string) => Converted {
  const words = format === null ? WORDS : wordsOf(format)
  const refused = new RefusedValue(
    'not_a_boolean',
    `Column "${column}" needs ${format === null ? 'true or false, yes or no, 1 or 0; for other words write a format such as ja/nein' : `one of ${format}`}`,
  )
  return (text) => words.get(text) ?? words.get(text.toLowerCase()) ?? refused
}

const WORDS = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1'].map((word) => [word, 'true'] as const),
  ...['false', 'f', 'no', 'n', 'off', '0'].map((word) => [word, 'false'] as const),
])

function wordsOf(format: string): Map<string, string> {
  const words = new Map([
    ['true', 'true'],
    ['false', 'false'],
  ])
  const stated = new Set<string>()
  for (const pair of format.split(' | ')) {
    const [yes, no, more] = pair.split('/').map((word) => word.trim().toLowerCase())
    if (!yes || !no || more !== undefined) throw invalid(format, `"${pair.trim()}" is not two words with a slash between them.`)
    for (const [word, value] of [
      [yes, 'true'],
      [no, 'false'],
    ] as const) {
      if (stated.has(word) || (words.get(word) ?? value) !== value) throw invalid(format, `"${word}" would mean both.`)
      stated.add(word)
      words.set(word, value)
    }
  }
  return words
}

function invalid(format: string, why: string): PermanentError {
  return new PermanentError('boolean_format_invalid', `Format "${format}" is not right for true and false`, {
    detail: why,
    hint: 'Write the word for true, a slash, the word for false: ja/nein, or several pairs: ja/nein | j/n.',
  })
}

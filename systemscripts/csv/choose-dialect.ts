import { PermanentError } from '../errors.ts'
import type { Dialect } from './dialect.ts'
import { createRecordScanner } from './record-scanner.ts'

/** Tried in this order; the earlier wins a tie. */
const COMMON_DELIMITERS = [',', ';', '\t', '|']
/** Characters of ordinary text too: taken only when every record agrees. */
const RARE_DELIMITERS = ['\x01', '^', '~', ':']
const DELIMITERS = [...COMMON_DELIMITERS, ...RARE_DELIMITERS]
const SAMPLED_RECORDS = 100

/**
 * How the CSV is written, from its first text. What is stated is taken as it is: delimiter `\t` and `tab` mean the tab; quote '' means none,
 * `"\` that a backslash before a quote inside quotes makes it data.
 *
 * Delimiter: the one of `, ; tab |` that, outside quotes, cuts the largest share of the first records into the same number of fields,
 * more than one; with equal shares the larger number wins. Where none of them cuts anything, one of `\x01 ^ ~ :` that cuts every record into
 * the same number, three or more. A line `sep=;`, which Excel understands, decides. A file of one column counts as written with commas.
 * Lines end with `\n` or `\r\n`; a lone `\r` ends them too when nothing else does, or when only so most records have the same number of fields.
 * Quote: `"`; `'` only when no `"` occurs and every record has a field that stands in `'`. Escape: where that alone makes sense of the sample.
 *
 * @param isWhole whether the sample is all there is
 * @throws PermanentError `delimiter_not_one_character`
 */
export function chooseDialect(
  sample: string,
  isWhole: boolean,
  stated: { delimiter?: string | null; quote?: string | null },
): Dialect & { hasSepLine: boolean } {
  const sepLine = /^sep=(.)\r?[\n\r]/i.exec(sample)
  const bytes = Buffer.from(sepLine === null ? sample : sample.slice(sepLine[0].length))
  const delimiter = delimiterStated(stated.delimiter || null) ?? sepLine?.[1] ?? null
  const quotings = quotingsFor(stated.quote ?? null, sample)
  let best: Rated | null = null
  for (const lineEnd of lineEndsIn(sample)) {
    for (const quoting of quotings) {
      const rated = rateQuoting(bytes, isWhole, { ...quoting, lineEnd }, delimiter)
      if (best === null || rated.share > best.share) best = rated
    }
  }
  if (best === null) throw notOneCharacter('quote', stated.quote ?? '')
  return { ...best.dialect, hasSepLine: sepLine !== null }
}

function delimiterStated(value: string | null): string | null {
  if (value === null) return null
  const character = value === '\\t' || value.toLowerCase() === 'tab' ? '\t' : value
  if ([...character].length === 1 && character !== '\n' && character !== '\r' && character !== '\0') return character
  throw notOneCharacter('delimiter', value)
}

/** The usual quoting first; another one has to make more of the sample to be taken. */
function quotingsFor(stated: string | null, sample: string): Pick<Dialect, 'quote' | 'escape'>[] {
  if (stated === '') return [{ quote: null, escape: null }]
  if (stated !== null) {
    const [quote = '', escaping] = stated
    if (stated.length > 2 || quote > '\x7f' || quote === '\n' || quote === '\r' || (escaping !== undefined && escaping !== '\\'))
      throw notOneCharacter('quote', stated)
    return [{ quote, escape: escaping ?? null }]
  }
  if (sample.includes('\\"'))
    return [
      { quote: '"', escape: null },
      { quote: '"', escape: '\\' },
    ]
  if (standsInApostrophes(sample))
    return [
      { quote: "'", escape: null },
      { quote: '"', escape: null },
    ]
  return [{ quote: '"', escape: null }]
}

/** Whether every line below the first has a field that stands in apostrophes, and no other quote occurs. */
function standsInApostrophes(sample: string): boolean {
  if (sample.includes('"') || !sample.includes("'")) return false
  const lines = sample.split(/\r\n|\n|\r/).filter((line) => line !== '')
  const below = lines.slice(1, lines.length > 2 ? -1 : undefined)
  // The caret last: in front it would mean all others.
  const delimiters = DELIMITERS.toSorted((left, right) => Number(left === '^') - Number(right === '^')).join('')
  const field = new RegExp(`(^|[${delimiters}])'(?:[^']|'')*'($|[${delimiters}])`)
  return below.length > 0 && below.every((line) => field.test(line))
}

interface Rated {
  dialect: Dialect
  share: number
}

function rateQuoting(bytes: Buffer, isWhole: boolean, quoting: Omit<Dialect, 'delimiter'>, delimiter: string | null): Rated {
  if (delimiter !== null) {
    const dialect = { ...quoting, delimiter }
    return { dialect, share: rate(fieldCounts(bytes, isWhole, dialect)).share }
  }
  let best = { delimiter: ',', share: 0, fields: 1 }
  for (const candidate of COMMON_DELIMITERS) {
    const { share, fields } = rate(fieldCounts(bytes, isWhole, { ...quoting, delimiter: candidate }))
    if (share > best.share || (share === best.share && fields > best.fields)) best = { delimiter: candidate, share, fields }
  }
  if (best.share < 0.5) {
    for (const candidate of RARE_DELIMITERS) {
      const counts = fieldCounts(bytes, isWhole, { ...quoting, delimiter: candidate })
      const { share, fields } = rate(counts)
      if (counts.length > 1 && share === 1 && fields >= 3) return { dialect: { ...quoting, delimiter: candidate }, share }
    }
  }
  return { dialect: { ...quoting, delimiter: best.delimiter }, share: best.share }
}

/** The number of fields, more than one, that most records share, and what share of them. */
function rate(lengths: number[]): { share: number; fields: number } {
  const counts = new Map<number, number>()
  for (const fields of lengths) counts.set(fields, (counts.get(fields) ?? 0) + 1)
  let best = { share: 0, fields: 1 }
  for (const [fields, records] of counts) {
    const share = records / lengths.length
    if (fields > 1 && (share > best.share || (share === best.share && fields > best.fields))) best = { share, fields }
  }
  return best
}

/** Where the sample cannot be read like that, the records before that place, and one of no field for it. */
function fieldCounts(bytes: Buffer, isWhole: boolean, dialect: Dialect): number[] {
  const scanner = createRecordScanner(dialect, '')
  let isBroken = false
  try {
    scanner.scan(bytes, 0, bytes.length, isWhole)
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error
    isBroken = true
  }
  const { count, firstField } = scanner.batch
  const counts = Array.from({ length: Math.min(count, SAMPLED_RECORDS) }, (_, n) => (firstField[n + 1] ?? 0) - (firstField[n] ?? 0))
  return isBroken && counts.length < SAMPLED_RECORDS ? [...counts, 0] : counts
}

/** The more likely one first; another one has to make more of the sample to be taken. */
function lineEndsIn(sample: string): Dialect['lineEnd'][] {
  if (!/\r(?!\n)/.test(sample)) return ['\n']
  return sample.replace(/"[^"]*"/g, '').includes('\n') ? ['\n', 'any'] : ['any', '\n']
}

function notOneCharacter(setting: 'delimiter' | 'quote', value: string): PermanentError {
  return new PermanentError('delimiter_not_one_character', `${setting} ${JSON.stringify(value)} is not one character`, {
    hint: `Set ${setting} in the settings to one character, for example ${setting === 'quote' ? "'" : ';'}, or leave it empty to have it detected.`,
  })
}

import { PermanentError } from '../errors.ts'
import { createRecordParser, type Dialect } from './record-parser.ts'

/** Tried in this order; the earlier wins a tie. */
const DELIMITERS = [',', ';', '\t', '|']
const SAMPLED_RECORDS = 100

/**
 * How the CSV is written, from its first text. What is stated is taken as it is (`\t` and `tab` mean the tab, quote '' means none).
 *
 * Delimiter: the one of `, ; tab |` that, outside quotes, cuts the largest share of the first records into the same number of fields,
 * more than one; with equal shares the larger number wins. A line `sep=;`, which Excel understands, decides. A file of one column
 * counts as written with commas. Quote: `"`.
 *
 * @throws PermanentError `delimiter_not_one_character`
 */
export function chooseDialect(
  sample: string,
  stated: { delimiter?: string | null; quote?: string | null },
  fileName: string,
): Dialect & { hasSepLine: boolean } {
  const quote = oneCharacter('quote', stated.quote === '' ? null : (stated.quote ?? '"'))
  const lineEnd = detectLineEnd(sample)
  const sepLine = /^sep=(.)\r?[\n\r]/i.exec(sample)
  const delimiter = oneCharacter('delimiter', stated.delimiter || null) ?? sepLine?.[1] ?? detectDelimiter(sample, quote, lineEnd, fileName)
  return { delimiter, quote, lineEnd, hasSepLine: sepLine !== null }
}

function oneCharacter(setting: string, value: string | null): string | null {
  if (value === null) return null
  const character = value === '\\t' || value.toLowerCase() === 'tab' ? '\t' : value
  if (character.length === 1 && character !== '\n' && character !== '\r') return character
  throw new PermanentError('delimiter_not_one_character', `${setting} ${JSON.stringify(value)} is not one character`, {
    hint: `Set ${setting} in the settings to one character, for example ${setting === 'quote' ? "'" : ';'}, or leave it empty to have it detected.`,
  })
}

function detectLineEnd(sample: string): '\n' | '\r' {
  const outsideQuotes = sample.replace(/"[^"]*"/g, '')
  if (outsideQuotes.includes('\n')) return '\n'
  return outsideQuotes.includes('\r') ? '\r' : '\n'
}

function detectDelimiter(sample: string, quote: string | null, lineEnd: '\n' | '\r', fileName: string): string {
  let best = { delimiter: ',', share: 0, fields: 1 }
  for (const delimiter of DELIMITERS) {
    const { share, fields } = rateDelimiter(sample, { delimiter, quote, lineEnd }, fileName)
    if (share > best.share || (share === best.share && fields > best.fields)) best = { delimiter, share, fields }
  }
  return best.delimiter
}

/** The number of fields, more than one, that most records share, and what share of them. */
function rateDelimiter(sample: string, dialect: Dialect, fileName: string): { share: number; fields: number } {
  const counts = new Map<number, number>()
  const lengths = fieldCounts(sample, dialect, fileName)
  for (const fields of lengths) counts.set(fields, (counts.get(fields) ?? 0) + 1)
  let best = { share: 0, fields: 1 }
  for (const [fields, records] of counts) {
    const share = records / lengths.length
    if (fields > 1 && (share > best.share || (share === best.share && fields > best.fields))) best = { share, fields }
  }
  return best
}

/** Nothing where the sample cannot be read with this delimiter: the real parser says so later, with the line. */
function fieldCounts(sample: string, dialect: Dialect, fileName: string): number[] {
  const parser = createRecordParser(dialect, fileName)
  try {
    const complete = parser.push(sample)
    const records = complete.length > 1 ? complete : [...complete, ...parser.end()]
    return records.slice(0, SAMPLED_RECORDS).map((record) => record.values.length)
  } catch (error) {
    if (error instanceof PermanentError) return []
    throw error
  }
}

import { PermanentError } from '../errors.ts'
import type { Dialect } from './dialect.ts'
import { BEHIND_BLANKS, QUOTED, type RecordBatch } from './record-batch.ts'
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
 * more than one; with equal shares the larger number wins. Less than half of the records count only when two that agree follow each other. Where
 * none of them cuts anything, one of `\x01 ^ ~ :` that cuts every record into the same number, three or more. A line `sep=;`, which Excel
 * understands, decides. A file of one column counts as written with commas.
 * Lines end with `\n` or `\r\n`; a lone `\r` ends them too when nothing else does, when every line ends in `\r\r\n` or `\n\r`, or when only so
 * most records have the same number of fields.
 * Quote: `"`; `'` only when no `"` occurs and every record, of several, has a field that stands in `'`. Escape: only where without it the sample cannot be
 * read, or is read worse without being cut into more records: a value that ends in a backslash, `"C:\"`, is no sign of it.
 * Blanks behind delimiters are no data where most quotes that open a field stand behind one, `1, "x, y", 2`, or some do and more records agree then;
 * and the sample can be read so.
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
      const rated = rateQuoting(bytes, isWhole, { ...quoting, lineEnd, skipsBlanks: false }, delimiter)
      if (best === null || isBetter(rated, best)) best = rated
    }
  }
  if (best === null) throw notOneCharacter('quote', stated.quote ?? '')
  return { ...(skippingBlanks(bytes, isWhole, best, delimiter) ?? best.dialect), hasSepLine: sepLine !== null }
}

/** As in `1, "x, y", 2`; null where blanks behind delimiters are data, as far as one can tell. */
function skippingBlanks(bytes: Buffer, isWhole: boolean, { dialect, share, records }: Rated, delimiter: string | null): Dialect | null {
  const { quote } = dialect
  if (quote === null || !(bytes.includes(` ${quote}`) || bytes.includes(`\t${quote}`))) return null
  const skipping = rateQuoting(bytes, isWhole, { ...dialect, skipsBlanks: true }, delimiter)
  if (skipping.isBroken || skipping.share < share || (skipping.share === share && skipping.records < records)) return null
  const most = quotesBehindBlanks(scanned(bytes, isWhole, skipping.dialect).batch)
  return most > (skipping.share > share ? 0 : 0.5) ? skipping.dialect : null
}

/** Of the quotes that open a field behind a delimiter the share that stands behind a blank as well. */
function quotesBehindBlanks({ count, firstField, flags }: RecordBatch): number {
  let quotes = 0
  let behindBlanks = 0
  for (let record = 0; record < count; record += 1) {
    for (let field = (firstField[record] ?? 0) + 1; field < (firstField[record + 1] ?? 0); field += 1) {
      if (((flags[field] ?? 0) & QUOTED) === 0) continue
      quotes += 1
      if (((flags[field] ?? 0) & BEHIND_BLANKS) !== 0) behindBlanks += 1
    }
  }
  return quotes === 0 ? 0 : behindBlanks / quotes
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
  // One line alone is little to go by, unless the names stand in apostrophes as well.
  const isTold = lines.length > 2 || field.test(lines[0] ?? '')
  return isTold && below.length > 0 && below.every((line) => field.test(line))
}

interface Rated extends Rate {
  dialect: Dialect
}

/** Whether to take the later one. */
function isBetter(later: Rated, former: Rated): boolean {
  if (later.dialect.escape === former.dialect.escape) return later.share > former.share
  if (later.isBroken !== former.isBroken) return former.isBroken
  // A quote that is wrongly taken for data swallows lines.
  return later.records >= former.records && (later.isBroken ? later.records > former.records : later.share > former.share)
}

function rateQuoting(bytes: Buffer, isWhole: boolean, quoting: Omit<Dialect, 'delimiter'>, delimiter: string | null): Rated {
  const rated = (candidate: string): Rated => {
    const dialect = { ...quoting, delimiter: candidate }
    return { dialect, ...rate(bytes, isWhole, dialect) }
  }
  if (delimiter !== null) return rated(delimiter)
  const [comma = rated(','), ...others] = COMMON_DELIMITERS.map(rated)
  let best = comma
  for (const one of others) if (one.share > best.share || (one.share === best.share && one.fields > best.fields)) best = one
  if (best.share >= 0.5) return best
  return RARE_DELIMITERS.map(rated).find(({ records, share, fields }) => records > 1 && share === 1 && fields >= 3) ?? best
}

interface Rate {
  /** The number of fields, more than one, that most of the first records share, and what share of them; 1 and 0 where none do. */
  fields: number
  share: number
  /** How many records the sample has, up to where it cannot be read like that. */
  records: number
  isBroken: boolean
}

function rate(bytes: Buffer, isWhole: boolean, dialect: Dialect): Rate {
  const { batch, isBroken } = scanned(bytes, isWhole, dialect)
  const looked = Math.min(batch.count, SAMPLED_RECORDS)
  const counts = new Map<number, number>()
  const repeated = new Set<number>()
  let former = 0
  for (let record = 0; record < looked; record += 1) {
    const fields = (batch.firstField[record + 1] ?? 0) - (batch.firstField[record] ?? 0)
    counts.set(fields, (counts.get(fields) ?? 0) + 1)
    if (fields === former) repeated.add(fields)
    former = fields
  }
  // The place that cannot be read counts as one more record, of no number of fields.
  const all = isBroken && looked < SAMPLED_RECORDS ? looked + 1 : looked
  let best = { share: 0, fields: 1 }
  for (const [fields, records] of counts) {
    const share = records / all
    // A value here and there that holds the character makes no table.
    if (fields === 1 || (share < 0.5 && !repeated.has(fields))) continue
    if (share > best.share || (share === best.share && fields > best.fields)) best = { share, fields }
  }
  return { ...best, records: batch.count, isBroken }
}

function scanned(bytes: Buffer, isWhole: boolean, dialect: Dialect): { batch: RecordBatch; isBroken: boolean } {
  const scanner = createRecordScanner(dialect, '')
  try {
    return { batch: scanner.scan(bytes, 0, bytes.length, isWhole), isBroken: false }
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error
    return { batch: scanner.batch, isBroken: true }
  }
}

/** The more likely one first; another one has to make more of the sample to be taken. */
function lineEndsIn(sample: string): Dialect['lineEnd'][] {
  if (!/\r(?!\n)/.test(sample)) return ['\n']
  const outside = sample.replace(/"[^"]*"/g, '')
  const runs = outside.match(/[\r\n]+/g) ?? []
  // The last one may be cut.
  const whole = outside.endsWith('\r') ? runs.slice(0, -1) : runs
  // \r\r\n is what programs leave that end lines twice; blank lines are no records.
  const isBesideLineFeeds = whole.length > 0 && [/^(\r\r\n)+$/, /^(\n\r)+$/].some((end) => whole.every((run) => end.test(run)))
  if (!outside.includes('\n')) return ['any']
  return isBesideLineFeeds ? ['any', '\n'] : ['\n', 'any']
}

function notOneCharacter(setting: 'delimiter' | 'quote', value: string): PermanentError {
  return new PermanentError('delimiter_not_one_character', `${setting} ${JSON.stringify(value)} is not one character`, {
    hint: `Set ${setting} in the settings to one character, for example ${setting === 'quote' ? "'" : ';'}, or leave it empty to have it detected.`,
  })
}

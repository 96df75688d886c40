import { createConversion } from '../values.ts'
import { datePatternsFor } from './infer-dates.ts'
import { proposeMixed } from './infer-mixed.ts'
import { numberFormatFor } from './infer-numbers.ts'
import { RefusedValue } from './refused-value.ts'

/** What a column seems to hold, as a row of dba.importcolumn would say it. */
export interface ColumnProposal {
  /** As format_type writes it. */
  type: string
  format: string | null
  /** Texts among the values that mean null. */
  nullTokens: string[]
  /** The evidence, in a sentence. */
  reason: string
}

/**
 * Proposes a type for a column. What may be a code stays text: leading zeros, whole numbers beyond bigint, exponents without decimals, a sign of
 * plus. Dates and grouped numbers are proposed only where all values together leave one reading; true and false only as words, of which both
 * occur. A proposal fits every value given; whether it fits those to come, nobody knows.
 *
 * Cells that a workbook holds as numbers and dates, beside texts that are numbers or dates in one other form, are one column with that format.
 *
 * @param values of a sample; null and blank ones say nothing
 * @param isTyped by the place among the values: a number, a date or a truth value of a workbook. Default: none
 */
export function inferColumn(values: Iterable<string | null>, isTyped: readonly boolean[] = []): ColumnProposal {
  const { texts, typed, untyped, nullTokens } = sample(values, isTyped)
  const isMixed = typed.length > 0 && untyped.length > 0
  if (texts.length === 0) return { type: 'text', format: null, nullTokens: [], reason: 'No value to tell by.' }
  for (const propose of isMixed ? PLAIN_PROPOSERS : PROPOSERS) {
    const proposal = propose(texts)
    if (typeof proposal === 'string') return { type: 'text', format: null, nullTokens: [], reason: proposal }
    if (proposal === null || !fitsAll(proposal, untyped, typed)) continue
    return withoutTokens(proposal, nullTokens)
  }
  const mixed = isMixed ? proposeMixed(untyped, typed) : null
  if (mixed !== null && fitsAll(mixed, untyped, typed)) return withoutTokens(mixed, nullTokens)
  return {
    type: 'text',
    format: null,
    nullTokens: [],
    reason: `Of ${counted(texts)} not all are numbers, dates or anything else of one kind.`,
  }
}

function withoutTokens(proposal: Proposal, nullTokens: string[]): ColumnProposal {
  const without = nullTokens.length === 0 ? '' : ` Without ${nullTokens.map((token) => `"${token}"`).join(', ')}, taken for null.`
  return { ...proposal, nullTokens, reason: proposal.reason + without }
}

/** A form that looks like a number may still be none that its type holds: an exponent of seven digits. */
function fitsAll({ type, format }: Pick<Proposal, 'type' | 'format'>, texts: string[], typed: string[]): boolean {
  const rule = { column: '', type, format, isRequired: false, defaultValue: null, nullTokens: [], transform: null, sourceZone: 'UTC' }
  const convert = createConversion(rule)
  return (
    texts.every((text) => !(convert(text) instanceof RefusedValue)) && typed.every((text) => !(convert(text, true) instanceof RefusedValue))
  )
}

export type Proposal = Omit<ColumnProposal, 'nullTokens'>

/** Null: not of this kind. A sentence: of this kind, but text all the same. */
type Proposer = (texts: string[]) => Proposal | string | null

const NULL_WORDS = new Set(['na', 'n/a', '#n/a', 'null', '(null)', 'nan', 'none', 'nil', '-', '--', '?', '\\n', '#null!', '.'])

const PROPOSERS: Proposer[] = [
  proposeBoolean,
  proposeUuid,
  proposeWholeNumber,
  proposeNumber,
  proposeFormatted,
  proposeIso,
  proposeMoment,
  proposeClock,
  proposeJson,
]
/** Those of forms in which a cell may stand as well as a text: of a form for texts typed cells say nothing. */
const PLAIN_PROPOSERS: Proposer[] = [proposeBoolean, proposeWholeNumber, proposeNumber, proposeIso, proposeClock]

/** Distinct values, trimmed, those of typed cells among them; null words apart, unless there is nothing else. */
function sample(values: Iterable<string | null>, isTyped: readonly boolean[]) {
  const texts = new Set<string>()
  const typed = new Set<string>()
  const untyped = new Set<string>()
  let place = -1
  for (const value of values) {
    place += 1
    const text = value?.trim() ?? ''
    if (text === '' || texts.size >= MOST_DISTINCT) continue
    texts.add(text)
    ;(isTyped[place] === true ? typed : untyped).add(text)
  }
  const nullTokens = [...texts].filter((text) => NULL_WORDS.has(text.toLowerCase()))
  for (const token of nullTokens) for (const set of [texts, typed, untyped]) set.delete(token)
  return { texts: [...texts], typed: [...typed], untyped: [...untyped], nullTokens: texts.size === 0 ? [] : nullTokens }
}

const MOST_DISTINCT = 10_000

function proposeBoolean(texts: string[]): ReturnType<Proposer> {
  const words = new Set(texts.map((text) => text.toLowerCase()))
  const pair = BOOLEAN_PAIRS.find(([yes, no]) => words.size === 2 && words.has(yes) && words.has(no))
  if (pair === undefined) return null
  const format = pair[0] === 'true' || pair[0] === 'yes' ? null : pair.join('/')
  return { type: 'boolean', format, reason: `All values are ${pair[0]} or ${pair[1]}.` }
}

const BOOLEAN_PAIRS = [
  ['true', 'false'],
  ['yes', 'no'],
  ['ja', 'nein'],
  ['oui', 'non'],
  ['sí', 'no'],
  ['si', 'no'],
  ['sì', 'no'],
  ['sim', 'não'],
  ['tak', 'nie'],
  ['ja', 'nee'],
  ['ja', 'nej'],
  ['wahr', 'falsch'],
  ['vrai', 'faux'],
  ['verdadero', 'falso'],
  ['vero', 'falso'],
  ['prawda', 'fałsz'],
] as const

function proposeUuid(texts: string[]): ReturnType<Proposer> {
  if (!all(texts, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i)) return null
  return { type: 'uuid', format: null, reason: `All of ${counted(texts)} are UUIDs.` }
}

function proposeWholeNumber(texts: string[]): ReturnType<Proposer> {
  if (!all(texts, /^[+-]?\d+$/)) return null
  const code = texts.find((text) => /^[+-]?0\d/.test(text))
  if (code !== undefined) return `Digits only, but "${shown(code)}" begins with a zero, as codes do.`
  const plus = texts.find((text) => text.startsWith('+'))
  if (plus !== undefined) return `Digits only, but "${shown(plus)}" begins with a plus, as telephone numbers do.`
  if (texts.length >= 3 && all(texts, /^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/)) {
    const [format] = datePatternsFor(texts, ['yyyyMMdd'])
    if (format !== undefined) return { type: 'date', format, reason: `All of ${counted(texts)} are days written yyyymmdd.` }
  }
  const numbers = texts.map((text) => (text.length > 20 ? null : BigInt(text)))
  const beyond = texts.find((_, index) => !isWithin(numbers[index], 63n))
  if (beyond !== undefined) return `Digits only, but "${shown(beyond)}" is too long for bigint, as identifiers are.`
  const type = numbers.every((number) => isWithin(number, 31n)) ? 'integer' : 'bigint'
  return { type, format: null, reason: `All of ${counted(texts)} are whole numbers.` }
}

function isWithin(number: bigint | null | undefined, bits: bigint): boolean {
  return number !== null && number !== undefined && BigInt.asIntN(Number(bits) + 1, number) === number
}

function proposeNumber(texts: string[]): ReturnType<Proposer> {
  if (all(texts, /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i)) {
    const code = texts.find((text) => /^-?0\d/.test(text))
    if (code !== undefined) return `Numbers, but "${shown(code)}" begins with a zero, as codes do.`
    const exponent = texts.find((text) => /^-?\d+e/i.test(text))
    if (exponent !== undefined) return `Numbers, but "${shown(exponent)}" may be a code rather than a power of ten.`
    const isScientific = texts.some((text) => /e/i.test(text))
    if (isScientific)
      return { type: 'double precision', format: null, reason: `All of ${counted(texts)} are numbers, some with an exponent.` }
    const long = texts.find((text) => /^-?\d{19,}$/.test(text))
    if (long !== undefined) return `Numbers, but "${shown(long)}" has no decimals and is too long for bigint, as identifiers are.`
    return { type: 'numeric', format: null, reason: `All of ${counted(texts)} are numbers, some with decimals.` }
  }
  return null
}

function proposeFormatted(texts: string[]): ReturnType<Proposer> {
  return texts.some((text) => text.startsWith('+')) ? null : numberFormatFor(texts)
}

function proposeMoment(texts: string[]): ReturnType<Proposer> {
  const first = texts[0] ?? ''
  if (!/\d/.test(first) || !/[-./ ]/.test(first)) return null
  const formats = datePatternsFor(texts)
  const [format, other] = formats
  if (format === undefined) return null
  if (other !== undefined) return `Dates, but whether they are ${format} or ${other} none of ${counted(texts)} tells.`
  const type = /[hH]/.test(format) ? 'timestamp without time zone' : 'date'
  return { type, format, reason: `All of ${counted(texts)} are dates of the form ${format}, and of no other.` }
}

const ISO = /^\d{4}-\d\d-\d\d([ Tt]\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?)?( ?(?:Z|z|[+-]\d\d(?::?\d\d)?|UTC|GMT))?$/

function proposeIso(texts: string[]): ReturnType<Proposer> {
  const matches = texts.map((text) => ISO.exec(text))
  if (matches.some((match) => match === null)) return null
  if (datePatternsFor(texts, [null]).length === 0) return null
  const zoned = matches.filter((match) => match?.[2] !== undefined).length
  if (zoned > 0 && zoned < texts.length) return `Times, but only ${zoned} of ${counted(texts)} name a zone.`
  const timed = matches.filter((match) => match?.[1] !== undefined).length
  if (zoned > 0 && timed < texts.length) return null
  const type = zoned > 0 ? 'timestamp with time zone' : timed > 0 ? 'timestamp without time zone' : 'date'
  return { type, format: null, reason: `All of ${counted(texts)} are written yyyy-mm-dd${timed > 0 ? ', with a time of day' : ''}.` }
}

function proposeClock(texts: string[]): ReturnType<Proposer> {
  if (!all(texts, /^-?\d{1,5}:[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$/)) return null
  const long = texts.find((text) => text.startsWith('-') || Number(text.split(':')[0]) > 23)
  if (long !== undefined)
    return { type: 'interval', format: null, reason: `All of ${counted(texts)} are durations: "${shown(long)}" is no time of day.` }
  if (!all(texts, /^\d\d:/)) return `Times of day or durations, none of ${counted(texts)} tells.`
  return { type: 'time without time zone', format: null, reason: `All of ${counted(texts)} are times of day.` }
}

function proposeJson(texts: string[]): ReturnType<Proposer> {
  if (!all(texts, /^(\{[\s\S]*\}|\[[\s\S]*\])$/)) return null
  try {
    for (const text of texts) JSON.parse(text)
  } catch {
    return null
  }
  return { type: 'jsonb', format: null, reason: `All of ${counted(texts)} are JSON objects or arrays.` }
}

function all(texts: string[], expression: RegExp): boolean {
  return texts.every((text) => expression.test(text))
}

function counted(texts: string[]): string {
  return texts.length === 1 ? '1 value' : `${texts.length} different values`
}

function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

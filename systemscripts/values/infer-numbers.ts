import { parseNumberFormat } from './number-format.ts'
import { createNumberReader } from './number-reader.ts'

/**
 * The format under which all texts are numbers, when one reading is left: `1.234,56 €`, `1 234,56`, `12,5 %`, `(1,234.56)`.
 *
 * @returns null when they are no numbers; a sentence when they are, and nobody can tell which
 */
export function numberFormatFor(texts: string[]): { type: string; format: string; reason: string } | string | null {
  if (!texts.every((text) => /\d/.test(text) && text.length <= 60)) return null
  const around = aroundOf(texts)
  if (around === null) return null
  const found: { format: string; plain: string[] }[] = []
  for (const body of BODIES) {
    const format = around.before + body + around.behind
    const read = createNumberReader(parseExample(format))
    const plain: string[] = []
    for (const text of texts) {
      const number = read(text)
      if (number === null || /^-?0\d/.test(number)) break
      plain.push(number)
    }
    if (plain.length === texts.length && !found.some((other) => other.plain.every((number, index) => number === plain[index])))
      found.push({ format, plain })
  }
  const [only, other] = found
  if (only === undefined) return null
  if (other !== undefined)
    return `Numbers, but whether they are written ${only.format} or ${other.format} none of ${texts.length} different values tells.`
  const isWhole = only.plain.every((number) => /^-?\d{1,18}$/.test(number))
  const type = !isWhole ? 'numeric' : only.plain.every((number) => /^-?\d{1,9}$/.test(number)) ? 'integer' : 'bigint'
  return {
    type,
    format: only.format,
    reason: `All of ${texts.length} different values are numbers of the form ${only.format}, and of no other.`,
  }
}

const BODIES = ['1234.56', '1,234.56', '1234,56', '1.234,56', '1 234,56', '1 234.56', "1'234.56", "1'234,56"]

function parseExample(format: string) {
  const { example } = parseNumberFormat(format)
  if (example === null) throw new Error(`"${format}" is an example of a number`)
  return example
}

/** What stands around the numbers: one unit at most, or a percent sign behind all of them; parentheses and trailing signs of any. */
function aroundOf(texts: string[]): { before: string; behind: string } | null {
  const units = new Set<string>()
  let inFront = false
  let percents = 0
  let parentheses = false
  let signBehind = false
  for (const text of texts) {
    const [, front = '', back = ''] = /^([^\d.,]*)(?:[.,]?\d.*\d|[.,]?\d)(\D*)$/su.exec(text) ?? []
    for (const unit of `${front} ${back}`.split(/[\s()+%−-]+/).filter((part) => part !== '')) units.add(unit)
    inFront ||= /[\p{L}\p{Sc}]/u.test(front)
    if (back.includes('%')) percents += 1
    parentheses ||= front.includes('(')
    signBehind ||= back.includes('-')
  }
  const [unit, otherUnit] = units
  if (otherUnit !== undefined || (percents > 0 && percents < texts.length) || (unit !== undefined && percents > 0)) return null
  if (unit !== undefined && !(/^\p{Sc}$/u.test(unit) || CURRENCIES.has(unit))) return null
  const before = `${parentheses ? '(' : ''}${unit !== undefined && inFront ? `${unit} ` : ''}`
  const behind = `${unit !== undefined && !inFront ? ` ${unit}` : ''}${percents > 0 ? ' %' : ''}${signBehind ? '-' : ''}${parentheses ? ')' : ''}`
  return { before, behind }
}

/** By their signs and letters; other letters around digits are parts of codes. */
const CURRENCIES = new Set(
  'EUR USD GBP CHF PLN CZK SEK NOK DKK HUF RON BGN JPY CNY INR CAD AUD NZD zł Kč kr Ft lei лв руб SFr Fr R$ US$ A$ C$'.split(' '),
)

import { PermanentError } from '../errors.ts'
import { compileDatePattern } from './date-pattern.ts'
import { emptyMoment } from './moment.ts'
import { type Converted, RefusedValue } from './refused-value.ts'
import { compileSafely } from './safe-pattern.ts'
import { parseTransform, type TransformArg, type TransformStep, transformInvalid, unescaped } from './transform-grammar.ts'

/**
 * Makes what a transform does to a text. A transform is a list of steps, carried out from left to right, with `|` or `,` between them:
 *
 * | step | does |
 * |---|---|
 * | `trim` | takes blanks of any kind from both ends |
 * | `upper`, `lower` | case |
 * | `collapse` | makes every run of blanks one blank, and trims |
 * | `digits` | keeps the digits 0–9 only |
 * | `nullif_blank` | makes null of what is blank or empty |
 * | `prefix("x")`, `suffix("x")` | puts a text in front, or behind, of what is not empty |
 * | `lpad(5, "0")` | fills up in front to so many characters; what is longer or empty stays |
 * | `replace("from", "to")` | every `from`, as it stands |
 * | `regexp_replace(/pattern/, "to")` | the first match, with g behind the pattern every one, with i in any case; `\1` to `\9` in `to` are groups, `\&` is all |
 * | `date("dd.MM.yyyy")` | a date of that form as 2024-03-04, and with 17:30:00 behind it when the form has a time; a cell that is a date stays |
 *
 * Texts stand in double quotes, with \" \\ \n \t inside. Patterns are JavaScript's (with flag u), of those that surely come to an end: see
 * safe-pattern.ts. Names of steps are written in any case. Null stays null and is not transformed.
 *
 * @throws PermanentError `transform_invalid`, `date_format_invalid`; `transform_too_slow` from the answer, when a value took a pattern more than ten seconds
 */
export function createTransform(text: string, column: string): Step {
  const steps = parseTransform(text).map((step) => create(step, text, column))
  const [only] = steps
  if (steps.length === 1 && only !== undefined) return only
  return (value, isTyped) => {
    let converted: Converted = value
    for (const step of steps) {
      converted = step(converted, isTyped && converted === value)
      if (typeof converted !== 'string') return converted
    }
    return converted
  }
}

/** @throws PermanentError `transform_invalid`, `date_format_invalid` */
export function checkTransform(text: string): void {
  createTransform(text, '')
}

/** `isTyped`: as it stands in a cell that is a number, a date or a truth value. */
type Step = (value: string, isTyped: boolean) => Converted

const STEPS: Record<string, { args: TransformArg['kind'][]; create(args: TransformArg[], text: string, column: string): Step }> = {
  trim: { args: [], create: () => (value) => value.trim() },
  upper: { args: [], create: () => (value) => value.toUpperCase() },
  lower: { args: [], create: () => (value) => value.toLowerCase() },
  collapse: { args: [], create: () => (value) => value.trim().replace(/\s+/g, ' ') },
  digits: { args: [], create: () => (value) => value.replace(/[^0-9]+/g, '') },
  nullif_blank: { args: [], create: () => (value) => (value.trim() === '' ? null : value) },
  prefix: {
    args: ['text'],
    create:
      ([prefix]) =>
      (value) =>
        value === '' ? value : textOf(prefix) + value,
  },
  suffix: {
    args: ['text'],
    create:
      ([suffix]) =>
      (value) =>
        value === '' ? value : value + textOf(suffix),
  },
  lpad: { args: ['number', 'text'], create: createPad },
  replace: { args: ['text', 'text'], create: createReplace },
  regexp_replace: { args: ['pattern', 'text'], create: createPatternReplace },
  date: { args: ['text'], create: createDate },
}

function create({ name, args }: TransformStep, text: string, column: string): Step {
  const known = Object.hasOwn(STEPS, name) ? STEPS[name] : undefined
  if (known === undefined) throw transformInvalid(text, `There is no step "${name}".`)
  const wanted = known.args.map((kind) => WORDS[kind]).join(' and ')
  if (args.length !== known.args.length || args.some(({ kind }, index) => kind !== known.args[index]))
    throw transformInvalid(text, wanted === '' ? `${name} takes nothing in parentheses.` : `${name} takes ${wanted} in parentheses.`)
  return known.create(args, text, column)
}

const WORDS: Record<TransformArg['kind'], string> = { text: '"text"', number: 'a number', pattern: 'a /pattern/' }

function createPad([length, fill]: TransformArg[], text: string): Step {
  const to = length?.kind === 'number' ? length.value : 0
  const by = textOf(fill)
  if (to < 1 || to > 1000 || by === '') throw transformInvalid(text, 'lpad takes a number from 1 to 1000 and a text that is not empty.')
  return (value) => (value === '' ? value : value.padStart(to, by))
}

function createReplace([from, to]: TransformArg[], text: string): Step {
  const [what, by] = [textOf(from), textOf(to)]
  if (what === '') throw transformInvalid(text, 'replace has nothing to look for.')
  return (value) => value.replaceAll(what, () => by)
}

function createPatternReplace([pattern, to]: TransformArg[], text: string, column: string): Step {
  if (pattern?.kind !== 'pattern') throw transformInvalid(text, 'regexp_replace takes a /pattern/.')
  const { expression, longestText } = compileSafely(pattern.source, pattern.flags, (why) => transformInvalid(text, why))
  const replacement = replacementOf(to?.kind === 'text' ? to.value : '')
  const groups = (new RegExp(`${pattern.source}|`, 'u').exec('')?.length ?? 1) - 1
  const missing = [...replacement.matchAll(/(?<!\$)(?:\$\$)*\$0(\d)/g)].find(([, number]) => Number(number) > groups)?.[1]
  if (missing !== undefined) throw transformInvalid(text, `\\${missing} is no group of /${pattern.source}/, which has ${groups}.`)
  const tooLong = new RefusedValue(
    'too_long_to_transform',
    `Column "${column}" has a transform that reads at most ${longestText} characters with /${pattern.source}/`,
  )
  return (value) => {
    if (value.length < SURELY_QUICK) return value.replace(expression, replacement)
    if (value.length > longestText) return tooLong
    const begun = performance.now()
    const replaced = value.replace(expression, replacement)
    if (performance.now() - begun > MOST_MILLISECONDS) throw tooSlow(pattern.source, column)
    return replaced
  }
}

/** Looking at the clock costs more than matching so few characters. */
const SURELY_QUICK = 100
const MOST_MILLISECONDS = 10_000

/** Of Postgres's way to write it (`\1`, `\&`, `$` is itself), JavaScript's. */
function replacementOf(quoted: string): string {
  return quoted
    .replace(/\$/g, '$$$$')
    .replace(/\\([1-9&"\\nt])/g, (_, sign: string) => (sign === '&' ? '$&' : /\d/.test(sign) ? `$0${sign}` : unescaped(`\\${sign}`)))
}

function createDate([form]: TransformArg[], _text: string, column: string): Step {
  const format = textOf(form)
  const { read, parts } = compileDatePattern(format, { needed: ['year', 'month', 'day'], barred: ['zone'] })
  const moment = emptyMoment()
  const otherForm = new RefusedValue('not_a_date', `Column "${column}" needs a date of the form ${format}`)
  const noSuchDay = new RefusedValue(
    'no_such_day',
    `Column "${column}" needs a day that is in the calendar and a time that is on the clock`,
  )
  return (value, isTyped) => {
    if (value.trim() === '' || (isTyped && CELL_OF_DATE.test(value))) return value
    const reading = read(value.trim(), moment)
    if (reading !== 'read') return reading === 'other_form' ? otherForm : noSuchDay
    const two = (number: number): string => String(number).padStart(2, '0')
    const day = `${String(moment.year).padStart(4, '0')}-${two(moment.month)}-${two(moment.day)}`
    if (!parts.has('hour')) return day
    const fraction = moment.fraction === '' ? '' : `.${moment.fraction}`
    return `${day} ${two(moment.hour)}:${two(moment.minute)}:${two(moment.second)}${fraction}`
  }
}

/** As dates of cells are written. */
const CELL_OF_DATE = /^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,9})?)?$/

function textOf(arg: TransformArg | undefined): string {
  return arg?.kind === 'text' ? unescaped(arg.value) : ''
}

function tooSlow(source: string, column: string): PermanentError {
  return new PermanentError('transform_too_slow', `Transform of column "${column}" took one value more than ten seconds`, {
    detail: `Its pattern is /${source}/.`,
    hint: 'Set transform in dba.importcolumn to a pattern with fewer repetitions, or one that begins with ^.',
  })
}

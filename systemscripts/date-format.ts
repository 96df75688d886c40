import { PermanentError } from './errors.ts'

/**
 * Reads the calendar day out of a text, as a format says: `yyyy` `yy` (69–99 are 19..) `MMM` (English, Jan or January) `MM` `M` `dd` `d`
 * `HH` `H` `hh` `h` `mm` `ss` `SSS` `a` (AM, PM), a text in single quotes, and everything else as it stands (`T`, dots, blanks).
 * The time of day must be right but is not kept.
 *
 * @returns `yyyy-mm-dd`
 * @throws PermanentError `date_not_read`, `date_format_invalid`
 */
export function readDate(text: string, format: string): string {
  const { expression, tokens } = parseFormat(format)
  const match = expression.exec(text.trim())
  if (match === null) throw dateNotRead(text, format, 'It is not written so.')
  const parts = new Map(tokens.map((token, index) => [token, match[index + 1] ?? '']))
  const year = yearOf(parts)
  const month = monthOf(parts)
  const day = Number(parts.get('dd') ?? parts.get('d'))
  const date = new Date(Date.UTC(year, month - 1, day))
  date.setUTCFullYear(year)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw dateNotRead(text, format, 'There is no such day.')
  if (!isTimeOfDay(parts)) throw dateNotRead(text, format, 'There is no such time of day.')
  return date.toISOString().slice(0, 10)
}

/** @throws PermanentError `date_format_invalid` */
export function checkDateFormat(format: string): void {
  parseFormat(format)
}

const PATTERNS: Record<string, string> = {
  yyyy: '\\d{4}',
  yy: '\\d{2}',
  MMM: '\\p{L}{3,9}\\.?',
  MM: '\\d{2}',
  M: '\\d{1,2}',
  dd: '\\d{2}',
  d: '\\d{1,2}',
  HH: '\\d{2}',
  H: '\\d{1,2}',
  hh: '\\d{2}',
  h: '\\d{1,2}',
  mm: '\\d{2}',
  ss: '\\d{2}',
  SSS: '\\d{3}',
  a: '[AaPp]\\.?[Mm]\\.?',
}

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']

function parseFormat(format: string): { expression: RegExp; tokens: string[] } {
  const tokens: string[] = []
  const pattern = format.replace(/yyyy|yy|MMM|MM|M|dd|d|HH|H|hh|h|mm|ss|SSS|a|'([^']*)'|[\s\S]/g, (piece, quoted: string | undefined) => {
    if (quoted !== undefined) return literal(quoted === '' ? "'" : quoted)
    const known = PATTERNS[piece]
    if (known === undefined && /[A-Za-z]/.test(piece) && piece !== 'T' && piece !== 'Z')
      throw formatInvalid(format, `"${piece}" is no part of a date.`)
    if (known === undefined) return literal(piece)
    if (tokens.includes(piece)) throw formatInvalid(format, `"${piece}" stands there twice.`)
    tokens.push(piece)
    return `(${known})`
  })
  for (const [part, spellings] of [
    ['year', ['yyyy', 'yy']],
    ['month', ['MMM', 'MM', 'M']],
    ['day', ['dd', 'd']],
  ] as const) {
    if (!spellings.some((token) => tokens.includes(token))) throw formatInvalid(format, `It has no ${part}.`)
  }
  return { expression: new RegExp(`^${pattern}$`, 'u'), tokens }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function yearOf(parts: Map<string, string>): number {
  const full = parts.get('yyyy')
  if (full !== undefined) return Number(full)
  const short = Number(parts.get('yy'))
  return short >= 69 ? 1900 + short : 2000 + short
}

/** From 1; 0 when the name is no month's. */
function monthOf(parts: Map<string, string>): number {
  const name = parts.get('MMM')?.toLowerCase().replace('.', '')
  if (name === undefined) return Number(parts.get('MM') ?? parts.get('M'))
  return MONTHS.findIndex((month) => month === name || month.slice(0, 3) === name || (name === 'sept' && month === 'september')) + 1
}

function isTimeOfDay(parts: Map<string, string>): boolean {
  const at = (...names: string[]) => Number(names.map((name) => parts.get(name)).find((value) => value !== undefined) ?? 0)
  const twelve = parts.get('hh') ?? parts.get('h')
  return at('HH', 'H') <= 23 && at('mm') <= 59 && at('ss') <= 59 && (twelve === undefined || (Number(twelve) >= 1 && Number(twelve) <= 12))
}

function dateNotRead(text: string, format: string, why: string): PermanentError {
  return new PermanentError('date_not_read', `"${text}" is not a date of the form ${format}`, {
    detail: why,
    hint: 'Correct date_from, date_spec or date_format in dba.importconfig, or have the file named right.',
  })
}

function formatInvalid(format: string, why: string): PermanentError {
  return new PermanentError('date_format_invalid', `Date format "${format}" is not right`, {
    detail: why,
    hint: 'Build it from yyyy yy MMM MM M dd d HH H hh h mm ss SSS a; other letters but T and Z stand in quotes: yyyyMMdd, dd.MM.yyyy.',
  })
}

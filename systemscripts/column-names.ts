import { createHash } from 'node:crypto'

/**
 * `legacy`: lower case, blanks and dashes become `_`, all else stays (`Price (€)` → `price_(€)`, which needs quotes in SQL).
 * `readable`: words of letters and digits joined by `_`, with words for signs (`% Change` → `percent_change`, `UnitPrice` → `unit_price`).
 */
export type NameRule = 'legacy' | 'readable'

/** Of NAMEDATALEN 64, the default of every packaged PostgreSQL. */
const LONGEST_NAME = 63

/** Postgres keeps these names for itself in every table. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

const SIGNS: Record<string, string> = {
  '%': 'percent',
  '‰': 'permille',
  '#': 'number',
  '№': 'number',
  $: 'dollar',
  '€': 'euro',
  '£': 'pound',
  '¥': 'yen',
  '&': 'and',
  '@': 'at',
  '+': 'plus',
  '=': 'equals',
  '<': 'below',
  '>': 'above',
  '°': 'degree',
  µ: 'micro',
  Δ: 'delta',
  '²': '2',
  '³': '3',
}

/**
 * Column names for the headers of a file, in their order: unique, never empty, without NUL, at most 63 bytes, none of Postgres's own.
 *
 * A name depends on the other headers only when two clash: then the first keeps it and the others become `_2`, `_3` …, and a header that
 * is written `price_2` keeps its name before one that would be numbered so. A blank header is `column_<n>`, n counted from 1.
 * A name that is too long is cut between characters and ends in six digits of its hash, so that it stays the same wherever the column
 * stands. Reserved words such as `order` stay: quote names in SQL.
 */
export function columnNames(headers: string[], rule: NameRule): string[] {
  const wanted = headers.map((header, index) => wantedName(header, rule) || `column_${index + 1}`)
  const isMade = headers.map((header) => wantedName(header, rule) === '')
  const names: (string | undefined)[] = headers.map(() => undefined)
  const taken = new Set<string>()
  // By name, so that ten thousand of one name are not counted from the start each time.
  const next = new Map<string, number>()
  // First those that keep their own name, then the blank ones, then the duplicates.
  for (const made of [false, true]) {
    wanted.forEach((name, index) => {
      if (isMade[index] !== made || taken.has(name)) return
      taken.add(name)
      names[index] = name
    })
  }
  return wanted.map((name, index) => names[index] ?? numberedName(name, taken, next))
}

function wantedName(header: string, rule: NameRule): string {
  const clean = header.replaceAll('\0', '').toWellFormed()
  if (clean.trim() === '') return ''
  const name = shortened(rule === 'legacy' ? legacyName(clean) : readableName(clean))
  return SYSTEM_COLUMNS.has(name) ? `${name}_value` : name
}

function legacyName(header: string): string {
  return header.toLowerCase().replace(/[\s-]/gu, '_')
}

function readableName(header: string): string {
  const words = header
    .normalize('NFC')
    .replace(/[%‰#№$€£¥&@+=<>°µΔ²³]/gu, (sign) => ` ${SIGNS[sign] ?? ''} `)
    // unitPrice and HTTPStatus are two words each; a number belongs to the word before it.
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/['’]/g, '')
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '')
  const name = words.join('_')
  return /^\p{N}/u.test(name) ? `_${name}` : name
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 6)
  return withSuffix(name, `_${hash}`)
}

/** As much of the name as fits before the suffix, cut between characters. */
function withSuffix(name: string, suffix: string): string {
  let kept = ''
  let bytes = Buffer.byteLength(suffix)
  for (const character of name) {
    bytes += Buffer.byteLength(character)
    if (bytes > LONGEST_NAME) break
    kept += character
  }
  return kept + suffix
}

function numberedName(name: string, taken: Set<string>, next: Map<string, number>): string {
  for (let number = next.get(name) ?? 2; ; number += 1) {
    const candidate = withSuffix(name, `_${number}`)
    if (taken.has(candidate)) continue
    taken.add(candidate)
    next.set(name, number + 1)
    return candidate
  }
}

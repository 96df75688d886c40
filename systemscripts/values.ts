import type { ColumnRule } from './copy-plan.ts'
import { PermanentError } from './errors.ts'
import { type Converted, RefusedValue } from './values/refused-value.ts'
import { createTransform } from './values/transform.ts'
import { createTypeConversion } from './values/type-conversion.ts'

/**
 * Values of a file as Postgres takes them: exact, or refused with a reason; never rounded, cut or guessed.
 *
 * The way of a value: transform → null tokens → default → required → type.
 *
 * - **transform**: steps of values/transform.ts, from left to right.
 * - **null tokens**: texts that mean null, compared exactly after trimming both. A token '' makes blank texts null. For every type that is
 *   known here save text, a blank text is null without being told, since it can be no value of such a type.
 * - **default** stands in for null. It is written as Postgres writes the type (1234.5, 2024-03-04, true), whatever `format` says.
 * - **required**: what is null still is refused as `required`. Blank text in a text column is a value.
 * - **type**: as format_type writes it; the common other names (`int`, `varchar(20)`, `timestamptz`) are known too. Around values other than
 *   text, blanks of any kind do not count.
 *
 * | type | taken without a format | format |
 * |---|---|---|
 * | smallint integer bigint | 12, -5, +7, 007, 12.0, 1.5e3: whole after all | number format |
 * | numeric, numeric(p,s) | 1234.5, -.5, 1.5e-3; no NaN | number format |
 * | real, double precision | the same, and NaN, Infinity, -Infinity | number format |
 * | boolean | true t yes y on 1, false f no n off 0, in any case | `word/word` |
 * | date | 2024-03-04; a time of day only when it is midnight | date format |
 * | timestamp, with or without time zone, also (p) | 2024-03-04, 2024-03-04T05:06, … 05:06:07, … 05:06:07.123456, and then Z, UTC, +01, +0100 or +01:00 | date format |
 * | time, time(p) | 05:06, 05:06:07, 05:06:07.123 | date format |
 * | interval | 26:30, 26:30:00, -0:05:00.5, P1DT2H, `1 day 02:03:04`, `2 hours 30 minutes` | of H HH mm ss SSS only: `mm:ss` |
 * | uuid | with or without hyphens and braces | none |
 * | json, jsonb | valid JSON; no \u0000, no half of a surrogate pair | none |
 * | bytea | hexadecimal: \xdead, 0xdead, dead | none |
 * | text, character varying(n), character(n) | any text without NUL; longer than n is `too_long` | none |
 * | any other | as it is: the server decides | none |
 *
 * **Number format**: an example of a number as the file writes it, then perhaps ` round`; or `round` alone, for plain numbers.
 *
 * ```
 * format   = example [ " round" ] | "round"
 * example  = around body around
 * body     = whole [ mark digits ] [ ("e"|"E") ["+"|"-"] digits ]           from the first digit to the last
 * whole    = digits | d{1,3} ( group ddd )+ | d{1,2} ( group dd )+ group ddd
 * mark     = "." | ","              group = "." | "," | "'" | " ", not the mark, one kind throughout
 * around   = any of  "("  ")"  "-"  "+"  "%"  blanks  and units
 * unit     = a run of characters without digits, blanks, ( ) + - %, in which there is a letter or a currency sign
 * ```
 * `1.234,56` · `1,234.56` · `1 234,56` · `1'234.56` · `12,34,567.50` · `1234,56` · `€ 1.234,56` · `$ £ 1,234.50` · `12,5 %` · `(1,234.50)` ·
 * `1.234,56-` · `1,5E+03` · `1,234.56 round`. A body such as 1.234 (one mark, then three digits, one to three before it and no zero first)
 * is refused: nobody can tell whether it is a thousand. How many digits the example has means nothing. What a value may then be: grouped or not, but
 * where it is grouped, rightly; with a mark only if the example has one; a sign in front (- − +), behind it if the example has one there; in
 * parentheses, for below zero, if the example is; one of the units, in front or behind, or none; a percent sign if and only if the example
 * has one, and then it is a hundredth (12,5 % is 0.125); any blank for a blank, ’ for '. Digits behind the point that the type does not hold
 * are refused, zeros apart; with `round` they are rounded half away from zero.
 *
 * **Date format**: tokens and literals; several formats with ` | ` between them are tried in turn.
 *
 * ```
 * format   = one { " | " one } | "round"
 * one      = { token | "'" text "'" | literal }      '' is an apostrophe; literal: any character save letters other than T and Z
 * token    = yyyy | yy | MMMM | MMM | MM | M | dd | d | EEEE | EEE | HH | H | hh | h | mm | ss | SSS | a | XXX
 * names    = (MMMM | MMM | EEEE | EEE) [ "@" language ]
 * language = bg cs da de el en es et fi fr hr hu it lt lv nb nl pl pt ro ru sk sl sv tr uk
 * ```
 * No part stands twice (yyyy and yy are one part, so are MMMM MMM MM M, dd d, HH H hh h); h and hh need a, and a needs them; ss needs mm,
 * SSS needs ss, mm needs an hour. `date` and `timestamp` need year, month and day, `time` needs an hour and takes no date. yyyy, yy, MM, dd,
 * HH, hh, mm, ss are all their digits, M d H h one or two and no digit token directly behind them; yy is 1970–2069, as in Postgres; SSS is a
 * fraction of a second of 1 to 9 digits; a is AM or PM; XXX is Z, +01, +0100 or +01:00. Names are short or long whichever token stands there, in
 * English or the language behind @, which then holds for the whole format; a day of the week must be the right one. A blank is one or more of any kind.
 * `dd.MM.yyyy` · `d MMM yyyy` · `d. MMMM@de yyyy` · `M/d/yy h:mm a` · `yyyy-MM-ddTHH:mm:ssXXX | dd/MM/yyyy`.
 * Without format `03/04/2024` is refused, and the message says what to write.
 *
 * **Zones**: a time that names none is in `sourceZone` where the column wants one: in the hour that the clocks skip it is moved forward by what
 * they skip, in the hour that comes twice it is the first. A time with a zone, for a column without, becomes the time of `sourceZone`. Date
 * columns take a day with a time only when the format has it. Seconds of more digits than the type holds are refused, zeros
 * apart; `round` lets them be rounded.
 *
 * **Boolean format**: `ja/nein`: the word for true, a slash, the word for false; several pairs with ` | ` between them. Case does not count.
 * true and false are understood as well, the other words are not.
 *
 * **Typed cells**: in a workbook a cell of a number arrives as a plain decimal (1234.5), that of a date as 2024-03-04. Such a value is given with
 * `isTyped` and is what it says, whatever the format says of texts; under a date format a number that is no date, such as 20240304, is read by it.
 * Everything else is a text and goes by the format alone: under 1.234,56 the text 1.234 is a thousand and more, and 1.5 is refused. A value that a
 * transform has changed is a text. With `isOriginUnknown`, for values that people have seen without knowing what their cells were, both forms are
 * taken, and what is in both and would mean two things is refused as `ambiguous_number` or `ambiguous_date`.
 *
 * @returns a function for one column, which may be called for any number of values; the same RefusedValue may come back many times
 * @throws PermanentError `number_format_invalid`, `date_format_invalid`, `boolean_format_invalid`, `interval_format_invalid`,
 *   `format_not_used`, `zone_unknown`, `transform_invalid`, `default_invalid`
 */
export function createConversion(rule: ColumnRule, { isOriginUnknown = false }: { isOriginUnknown?: boolean } = {}): Conversion {
  const { column, sourceZone } = rule
  const format = rule.format === null || rule.format.trim() === '' ? null : rule.format
  const { isText, convert } = createTypeConversion(rule.type, { column, format, sourceZone, isOriginUnknown })
  const transform = rule.transform === null || rule.transform.trim() === '' ? null : createTransform(rule.transform, column)
  const absent = defaultOf(rule)
  const tokens = new Set(rule.nullTokens.map((token) => token.trim()))
  return (text, isTyped = false) => {
    if (text === null) return absent
    let value = text
    if (transform !== null) {
      const transformed = transform(value, isTyped)
      if (transformed === null) return absent
      if (typeof transformed !== 'string') return transformed
      value = transformed
    }
    if (isText) return tokens.size > 0 && tokens.has(value.trim()) ? absent : convert(value, false)
    const trimmed = value.trim()
    return trimmed === '' || tokens.has(trimmed) ? absent : convert(trimmed, isTyped && value === text)
  }
}

/** From a value of the file, null where it has none, to what COPY is given; `isTyped` (default false) as said above. */
export type Conversion = (text: string | null, isTyped?: boolean) => Converted

/**
 * Whether a rule can be followed at all, apart from any value.
 *
 * @throws what createConversion throws
 */
export function checkColumnRule(rule: ColumnRule): void {
  createConversion(rule)
}

/** What null becomes. */
function defaultOf({ column, type, defaultValue, isRequired, sourceZone }: ColumnRule): Converted {
  const required = new RefusedValue('required', `Column "${column}" needs a value`)
  const absent = isRequired ? required : null
  if (defaultValue === null) return absent
  const { isText, convert } = createTypeConversion(type, { column, format: null, sourceZone, isOriginUnknown: false })
  const text = isText ? defaultValue : defaultValue.trim()
  if (!isText && text === '') return absent
  const value = convert(text, false)
  if (!(value instanceof RefusedValue)) return value
  throw new PermanentError('default_invalid', `Column "${column}" cannot have the default "${defaultValue}"`, {
    detail: `${value.message}.`,
    hint: 'Write default_value in dba.importcolumn as Postgres writes the type, without regard to format: 1234.5, 2024-03-04, true.',
  })
}

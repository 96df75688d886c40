import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { checkTransform } from '../../../systemscripts/values/transform.ts'
import { converted, rule } from './rules.ts'

const cases: [transform: string, text: string, becomes: string | null][] = [
  ['trim', '\u00a0 a b ', 'a b'],
  ['TRIM | Upper', ' a ', 'A'],
  ['trim, lower', ' A ', 'a'],
  ['collapse', ' a \t\n b ', 'a b'],
  ['digits', '+49 (30) 12-34', '49301234'],
  ['nullif_blank', ' ', null],
  ['prefix("a|b, \\"c\\"")', 'x', 'a|b, "c"x'],
  ['suffix(" kg")', '', ''],
  ['lpad(5, "0")', '123', '00123'],
  ['lpad(2, "0")', '12345', '12345'],
  ['replace("$&", "$1")', 'a$&b', 'a$1b'],
  ['regexp_replace(/[.]0+$/, "")', '12.00', '12'],
  ['regexp_replace(/a/, "b")', 'aaA', 'baA'],
  ['regexp_replace(/a/gi, "b")', 'aaA', 'bbb'],
  ['regexp_replace(/(\\d+)-(\\d+)/, "\\2$\\1")', '12-34', '34$12'],
  ['regexp_replace(/\\w+/, "<\\&>")', 'ab', '<ab>'],
  ['regexp_replace(/[/|,]/g, "_") | upper', 'a/b|c', 'A_B_C'],
  ['regexp_replace(/(.)/, "\\12")', 'x', 'x2'],
  ['date("d.M.yyyy")', '4.3.2024', '2024-03-04'],
  ['date("M/d/yy h:mm a")', '3/4/24 5:06 PM', '2024-03-04 17:06:00'],
  ['date("d.M.yyyy")', '31.4.2024', '<no_such_day>'],
  ['date("d.M.yyyy")', 'x', '<not_a_date>'],
  ['regexp_replace(/^\\s+|\\s+$/g, "")', ' a ', 'a'],
]

for (const [transform, text, becomes] of cases) {
  test(`${transform} makes ${JSON.stringify(becomes)} of ${JSON.stringify(text)}`, () => {
    assert.equal(converted(text, rule('text', { transform })), becomes)
  })
}

const wrong = [
  '',
  '|',
  'trim |',
  'trim upper',
  'drop',
  '__proto__',
  'trim()',
  'trim("x")',
  'prefix',
  'prefix(x)',
  "prefix('x')",
  'prefix("x"',
  'lpad("0", 5)',
  'lpad(5, "")',
  'replace("", "x")',
  'regexp_replace("a", "b")',
  'regexp_replace(/a/)',
  'regexp_replace(/a(/, "")',
  'regexp_replace(/a/m, "")',
  'regexp_replace(/a/, "\\1")',
  'regexp_replace(/[[:alpha:]]/, "")',
  `regexp_replace(/${'a'.repeat(201)}/, "")`,
]

for (const transform of wrong) {
  test(`${transform.slice(0, 40) || 'nothing'} is no transform`, () => {
    assert.throws(
      () => checkTransform(transform),
      (error: unknown) => error instanceof PermanentError && error.code === 'transform_invalid' && error.hint !== undefined,
    )
  })
}

const endless = [
  '(a+)+$',
  '(a|a)*$',
  '(a*)*',
  '(?:a?){50}b',
  '(\\w+\\s?)*$',
  '((ab)+c?){30}',
  '(.)\\1',
  '.*.*.*.*.*.*x',
  '(a|b|ab){25}',
  `${'a?'.repeat(40)}b`,
]

for (const pattern of endless) {
  test(`/${pattern.slice(0, 30)}/ may take for ever and is refused`, () => {
    assert.throws(
      () => checkTransform(`regexp_replace(/${pattern}/, "")`),
      (error: unknown) => error instanceof PermanentError && error.code === 'transform_invalid',
    )
  })
}

test('patterns that people write are taken', () => {
  for (const pattern of [
    '^0+(?=\\d)',
    '(?:,\\d{3})+',
    '^(.*?)\\s*-\\s*(.*)$',
    '(jan|feb|mar)\\w*',
    '\\p{L}+\\s+\\d{1,3}',
    '[^0-9A-Za-z]+',
    '^(\\d{2})(\\d{2})?$',
  ]) {
    checkTransform(`regexp_replace(/${pattern}/g, "")`)
  }
})

test('a text that is too long for a pattern is refused', () => {
  const note = rule('text', { transform: 'regexp_replace(/x.*y/, "")' })
  assert.equal(converted('x'.repeat(10_001), note), '<too_long_to_transform>')
  assert.equal(converted(`x${'z'.repeat(1000)}y`, note), '')
})

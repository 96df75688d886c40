import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnRule } from '../../../systemscripts/copy-plan.ts'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { checkColumnRule } from '../../../systemscripts/values.ts'
import { converted, rule } from './rules.ts'

const cases: [type: string, format: string | null, text: string, becomes: string | null][] = [
  ['boolean', null, 'TRUE', 'true'],
  ['boolean', null, 'y', 'true'],
  ['boolean', null, 'off', 'false'],
  ['boolean', null, '2', '<not_a_boolean>'],
  ['boolean', 'ja/nein | j/n', 'J', 'true'],
  ['boolean', 'ja/nein', 'NEIN', 'false'],
  ['boolean', 'ja/nein', 'true', 'true'],
  ['boolean', 'ja/nein', 'yes', '<not_a_boolean>'],
  ['boolean', 'x/-', '-', 'false'],
  ['text', null, ' 00123 ', ' 00123 '],
  ['text', null, '', ''],
  ['text', null, 'nan', 'nan'],
  ['text', null, 'a\0b', '<nul_character>'],
  ['text', null, 'a\ud800', '<not_unicode>'],
  ['character varying(3)', null, 'a😀b', 'a😀b'],
  ['character varying(3)', null, 'abcd', '<too_long>'],
  ['character varying(3)', null, 'abc ', '<too_long>'],
  ['character(3)', null, 'abc  ', 'abc  '],
  ['varchar(3)', null, 'abcd', '<too_long>'],
  ['inet', null, 'anything', 'anything'],
  ['integer[]', null, '{1,2}', '{1,2}'],
  ['uuid', null, '{3F1C9A52-9d0f-4c9e-8b1a-2f6f0d8a7c11}', '3F1C9A52-9d0f-4c9e-8b1a-2f6f0d8a7c11'],
  ['uuid', null, '3f1c9a529d0f4c9e8b1a2f6f0d8a7c11', '3f1c9a529d0f4c9e8b1a2f6f0d8a7c11'],
  ['uuid', null, '3f1c9a52-9d0f-4c9e-8b1a-2f6f0d8a7c1', '<not_a_uuid>'],
  ['jsonb', null, '{"a": [1, null]}', '{"a": [1, null]}'],
  ['jsonb', null, "{'a': 1}", '<not_json>'],
  ['jsonb', null, '"\\u0000"', '<not_unicode>'],
  ['jsonb', null, '"\\\\u0000"', '"\\\\u0000"'],
  ['jsonb', null, '"\\ud83d\\ude00"', '"\\ud83d\\ude00"'],
  ['jsonb', null, '"\\ud83d"', '<not_unicode>'],
  ['json', null, '{"a":"\\u0000","a":1}', '<not_unicode>'],
  ['jsonb', null, `${'['.repeat(5000)}${']'.repeat(5000)}`, '<not_json>'],
  ['jsonb', null, '1e200000', '<not_json>'],
  ['jsonb', null, '"1e200000"', '"1e200000"'],
  ['bytea', null, '0xDEAD', '\\xDEAD'],
  ['bytea', null, '\\x', '\\x'],
  ['bytea', null, 'abc', '<not_bytea>'],
]

for (const [type, format, text, becomes] of cases) {
  test(`${JSON.stringify(text.slice(0, 40))} as ${type}${format === null ? '' : ` of the form ${format}`}: ${JSON.stringify(becomes?.slice(0, 40))}`, () => {
    assert.equal(converted(text, rule(type, { format })), becomes)
  })
}

test('a value is transformed, then perhaps null, then the default, and then required', () => {
  const price = rule('integer', { transform: 'lower | regexp_replace(/^x/, "")', nullTokens: ['na'], defaultValue: '7', isRequired: true })
  assert.equal(converted('X12', price), '12')
  assert.equal(converted('XNA', price), '7')
  assert.equal(converted(null, price), '7')
  assert.equal(converted('', price), '7')
  assert.equal(converted('', { ...price, defaultValue: null }), '<required>')
  assert.equal(converted('z', price), '<not_a_number>')
})

test('null tokens are compared after trimming, and in their own case', () => {
  const note = rule('text', { nullTokens: [' NA ', ''] })
  assert.equal(converted(' NA', note), null)
  assert.equal(converted('na', note), 'na')
  assert.equal(converted('  ', note), null)
})

test('a required text may be blank, but not null', () => {
  assert.equal(converted('', rule('text', { isRequired: true })), '')
  assert.equal(converted(null, rule('text', { isRequired: true })), '<required>')
  assert.equal(converted(' ', rule('text', { isRequired: true, transform: 'nullif_blank' })), '<required>')
})

test('a default is written plainly, whatever the format', () => {
  assert.equal(converted(null, rule('numeric(8,2)', { format: '1.234,56', defaultValue: '1.50' })), '1.50')
  assert.equal(converted(null, rule('date', { format: 'dd.MM.yyyy', defaultValue: '2024-03-04' })), '2024-03-04')
})

const wrong: [code: string, type: string, more: Partial<ColumnRule>][] = [
  ['number_format_invalid', 'numeric', { format: '1.234' }],
  ['number_format_invalid', 'numeric', { format: '1.23,456' }],
  ['number_format_invalid', 'numeric', { format: '#.##0,00' }],
  ['number_format_invalid', 'numeric', { format: '(1,234.50' }],
  ['number_format_invalid', 'numeric', { format: '5 * 1,5' }],
  ['number_format_invalid', 'integer', { format: '12 % €' }],
  ['date_format_invalid', 'date', { format: 'MM.yyyy' }],
  ['date_format_invalid', 'date', { format: 'DD.MM.YYYY' }],
  ['date_format_invalid', 'date', { format: 'dd.MM.yyyy yy' }],
  ['date_format_invalid', 'timestamp', { format: 'dd.MM.yyyy hh:mm' }],
  ['date_format_invalid', 'timestamp', { format: 'dd.MM.yyyy HH:mm a' }],
  ['date_format_invalid', 'timestamp', { format: 'dd.MM.yyyy mm:ss' }],
  ['date_format_invalid', 'time', { format: 'dd HH:mm' }],
  ['date_format_invalid', 'date', { format: 'd MMM@tlh yyyy' }],
  ['date_format_invalid', 'date', { format: 'd MMM@de yyyy EEE@fr' }],
  ['boolean_format_invalid', 'boolean', { format: 'ja' }],
  ['boolean_format_invalid', 'boolean', { format: 'x/x' }],
  ['boolean_format_invalid', 'boolean', { format: 'false/true' }],
  ['interval_format_invalid', 'interval', { format: 'HH:ss' }],
  ['interval_format_invalid', 'interval', { format: 'days' }],
  ['format_not_used', 'text', { format: 'dd.MM.yyyy' }],
  ['format_not_used', 'uuid', { format: 'x' }],
  ['zone_unknown', 'timestamptz', { sourceZone: 'Mars/Olympus' }],
  ['transform_invalid', 'text', { transform: 'trimm' }],
  ['default_invalid', 'integer', { defaultValue: 'none' }],
  ['default_invalid', 'date', { defaultValue: '04.03.2024', format: 'dd.MM.yyyy' }],
]

for (const [code, type, more] of wrong) {
  test(`${type} with ${JSON.stringify(more)} is refused as ${code}`, () => {
    assert.throws(
      () => checkColumnRule(rule(type, more)),
      (error: unknown) => error instanceof PermanentError && error.code === code && error.hint !== undefined,
    )
  })
}

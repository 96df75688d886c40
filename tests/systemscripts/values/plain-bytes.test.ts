import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ColumnRule } from '../../../systemscripts/copy-plan.ts'
import { createPlainBytes } from '../../../systemscripts/values/plain-bytes.ts'
import { createConversion } from '../../../systemscripts/values.ts'
import { rule } from './rules.ts'

const rules: ColumnRule[] = [
  ...['smallint', 'integer', 'bigint', 'numeric', 'numeric(12,4)', 'numeric(3)', 'numeric(2,2)', 'numeric(2,5)', 'numeric(5,-2)'],
  ...['real', 'double precision', 'boolean', 'date', 'timestamp without time zone', 'timestamp(3)', 'timestamp with time zone'],
  ...['time', 'time(0)', 'interval', 'uuid', 'json', 'bytea', 'text', 'character varying(5)', 'character(3)', 'point', 'integer[]'],
].flatMap((type) => [
  rule(type),
  rule(type, { sourceZone: 'America/New_York' }),
  rule(type, { isRequired: true, nullTokens: ['', 'NA', ' N/A ', '-', '\\"x', 'é'] }),
  rule(type, { nullTokens: ['999', '1900-01-01', '0.0', 'false'], defaultValue: null }),
])

const seed = Date.now() % 1_000_000

test(`what goes by its bytes is what the conversion gives (seed ${seed})`, () => {
  const part = fc.constantFrom(
    ...['0', '1', '9', '00', '12', '345', '-', '+', '.', ',', ':', ' ', 'T', 'Z', 'e', 'NA', '\u00a0', 'é', '𝄞', '\t', '\\', '"x'],
    ...['2024', '0000', '9999', '-02-29', '-13-01', '-04-31', '-12-31', '23:59:59', '24:00:00', '05:06:07', '.120', '.123456', '.1234567'],
    ...['+00', '-00', '+01', '-15', '+16', '+01:30', 'true', 'false', 'True', '32767', '32768', '9223372036854775807', '2147483647'],
    ...['3f1c9a52-9d0f-4c9e-8b1a-2f6f0d8a7c11', '3F1C9A52', '-9d0f-4c9e-8b1a-', '2f6f0d8a7c11', '999', '1900-01-01'],
  )
  const text = fc.oneof(
    fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
    fc.string({ minLength: 1, unit: 'grapheme' }),
    fc.integer().map(String),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(String),
    fc.tuple(fc.integer(), fc.nat(1_000_000)).map(([whole, behind]) => `${whole}.${behind}`),
    fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }).map((day) => day.toISOString().slice(0, 10)),
    fc
      .tuple(
        fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
        fc.constantFrom('', '', '+00', '-07', '.5', '.123456+05'),
      )
      .map(([at, end]) => at.toISOString().slice(0, 19).replace('T', ' ') + end),
    fc.date({ noInvalidDate: true, min: new Date('2000-01-01'), max: new Date('2000-01-02') }).map((at) => at.toISOString().slice(11, 19)),
    fc.constantFrom('true', 'false', '.12', '-.1'),
    fc.uuid(),
  )
  const taken = new Map<string, number>()
  const checks = rules.map((columnRule) => ({ columnRule, isPlain: createPlainBytes(columnRule), convert: createConversion(columnRule) }))
  fc.assert(
    fc.property(text, (value) => {
      fc.pre(!value.includes('\0') && value.isWellFormed())
      const bytes = Buffer.from(`1${value}1`)
      for (const { columnRule, isPlain, convert } of checks) {
        if (isPlain?.(bytes, 1, bytes.length - 1) !== true) continue
        taken.set(columnRule.type, (taken.get(columnRule.type) ?? 0) + 1)
        assert.equal(convert(value), value, `${JSON.stringify(columnRule)} ${JSON.stringify(value)}`)
      }
    }),
    { numRuns: 50_000, seed },
  )
  for (const { columnRule, isPlain } of checks) if (isPlain !== null) assert.ok((taken.get(columnRule.type) ?? 0) > 0, columnRule.type)
})

test('values as files mostly have them go by their bytes', () => {
  const values: [string, string][] = [
    ['smallint', '-327'],
    ['integer', '123456789'],
    ['bigint', '123456789012345678'],
    ['numeric(12,4)', '-1234567.8901'],
    ['numeric', '12.5'],
    ['double precision', '0.001'],
    ['boolean', 'true'],
    ['boolean', 'false'],
    ['date', '2024-12-30'],
    ['timestamp without time zone', '2024-02-28 23:59:59'],
    ['timestamp without time zone', '2024-02-28 23:59:59.123456'],
    ['timestamp with time zone', '2024-02-28 23:59:59+02'],
    ['time', '23:59:59'],
    ['uuid', '3f1c9a52-9d0f-4C9e-8b1a-2f6f0d8a7c11'],
    ['text', 'a text of any kind'],
    ['character varying(10)', 'ten bytes!'],
    ['point', '(1,2)'],
  ]
  for (const [type, value] of values)
    assert.equal(createPlainBytes(rule(type))?.(Buffer.from(value), 0, value.length), true, `${type} ${value}`)
})

test('a format or a transform leaves every value to the conversion', () => {
  assert.equal(createPlainBytes(rule('integer', { format: '1.234' })), null)
  assert.equal(createPlainBytes(rule('text', { transform: 'trim' })), null)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { converted, rule } from './rules.ts'

const cases: [type: string, format: string | null, text: string, becomes: string | null][] = [
  ['integer', null, '12', '12'],
  ['integer', null, ' 12\u00a0', '12'],
  ['integer', null, '-2147483648', '-2147483648'],
  ['integer', null, '2147483648', '<out_of_range>'],
  ['integer', null, '0000000000012', '12'],
  ['integer', null, '12.0', '12'],
  ['integer', null, '1.5e3', '1500'],
  ['integer', null, '12.5', '<has_decimals>'],
  ['integer', 'round', '12.5', '13'],
  ['integer', 'round', '-12.5', '-13'],
  ['integer', 'round', '-0.4', '0'],
  ['integer', null, '1,234', '<not_a_number>'],
  ['integer', null, '1_000', '<not_a_number>'],
  ['integer', null, '0x10', '<not_a_number>'],
  ['integer', null, '٣', '<not_a_number>'],
  ['integer', null, 'NaN', '<not_a_number>'],
  ['integer', null, '', null],
  ['integer', null, ' ', null],
  ['smallint', null, '32768', '<out_of_range>'],
  ['bigint', null, '9223372036854775807', '9223372036854775807'],
  ['bigint', null, '9223372036854775808', '<out_of_range>'],
  ['bigint', null, '-9223372036854775808', '-9223372036854775808'],
  ['bigint', null, '1e999999999', '<out_of_range>'],
  ['numeric(5,2)', null, '999.99', '999.99'],
  ['numeric(5,2)', null, '999.990', '999.99'],
  ['numeric(5,2)', null, '1000', '<too_many_digits>'],
  ['numeric(5,2)', null, '1.005', '<too_many_decimals>'],
  ['numeric(5,2)', 'round', '1.005', '1.01'],
  ['numeric(5,2)', 'round', '999.995', '<too_many_digits>'],
  ['numeric(5,2)', null, '1.5e-3', '<too_many_decimals>'],
  ['numeric(3,-2)', null, '12300', '12300'],
  ['numeric(3,-2)', null, '12345', '<too_many_decimals>'],
  ['numeric(2,4)', null, '0.0012', '0.0012'],
  ['numeric(2,4)', null, '0.0123', '<too_many_digits>'],
  ['numeric', null, '0.1234567890123456789012345678901234567890', '0.1234567890123456789012345678901234567890'],
  ['numeric', null, 'NaN', '<not_a_number>'],
  ['numeric', null, '--5', '<not_a_number>'],
  ['numeric', null, '1e', '<not_a_number>'],
  ['numeric', null, '.', '<not_a_number>'],
  ['numeric', null, '#N/A', '<not_a_number>'],
  ['double precision', null, 'nan', 'NaN'],
  ['double precision', null, '1e400', '<out_of_range>'],
  ['double precision', null, '1e-400', '<out_of_range>'],
  ['real', null, '1e39', '<out_of_range>'],
  ['numeric', '1.234,56', '1.234.567,89', '1234567.89'],
  ['numeric', '1.234,56', '1234567,89', '1234567.89'],
  ['numeric', '1.234,56', '1.23.456', '<not_a_number>'],
  ['numeric', '1.234,56', '1234.567', '<not_a_number>'],
  ['numeric', '1.234,56', '.123', '<not_a_number>'],
  ['numeric', '1.234,56', '1.234', '1234'],
  ['numeric', '1.234,56', '1.5', '<not_a_number>'],
  ['numeric', '1.234,56', '0.125', '<not_a_number>'],
  ['numeric', '1.234,56', ',5', '.5'],
  ['numeric', '1.234,56', '1,2,3', '<not_a_number>'],
  ['numeric', '1.234,56', '1,5 €', '<not_a_number>'],
  ['numeric', '1234,56', '1.234', '<not_a_number>'],
  ['numeric', '1 234,56', '1\u202f234,50', '1234.50'],
  ['numeric', '1 234,56', '1\u00a0234\u00a0567', '1234567'],
  ['numeric', '1 234,56', '12 34', '<not_a_number>'],
  ['numeric', "1'234.56", '1’234.50', '1234.50'],
  ['numeric', '12,34,567.50', '1,23,45,678.5', '12345678.5'],
  ['numeric', '12,34,567.50', '123,456', '<not_a_number>'],
  ['numeric', '€ 1.234,56', '1.234,50 €', '1234.50'],
  ['numeric', '€ 1.234,56', '-€1,50', '-1.50'],
  ['numeric', '€ 1.234,56', '€€1', '<not_a_number>'],
  ['numeric', '$ £ 1,234.50', '£ 1,234.5', '1234.5'],
  ['numeric', '1.234,56 zł', '12,00\u00a0zł', '12.00'],
  ['numeric', 'Rs. 1,234.50', 'Rs.1,234', '1234'],
  ['numeric', '12,5 %', '12,5 %', '0.125'],
  ['numeric', '12,5 %', '12,5%', '0.125'],
  ['numeric', '12,5 %', '-100 %', '-1'],
  ['numeric', '12,5 %', '12,5', '<not_a_number>'],
  ['numeric', '12,5 %', '%', '<not_a_number>'],
  ['numeric', '12,5 %', '-%', '<not_a_number>'],
  ['numeric', '(1,234.50)', '(1,234.50)', '-1234.50'],
  ['numeric', '(1,234.50)', '1,234.50', '1234.50'],
  ['numeric', '(1,234.50)', '(1,234.50', '<not_a_number>'],
  ['numeric', '(1,234.50)', '(-1)', '<not_a_number>'],
  ['numeric', '1,234.50', '(1)', '<not_a_number>'],
  ['numeric', '1.234,56-', '1.234,56-', '-1234.56'],
  ['numeric', '1.234,56-', '-1-', '<not_a_number>'],
  ['numeric', '1.234,56', '1-', '<not_a_number>'],
  ['numeric', '1.234,56', '−5', '-5'],
  ['numeric', '1,5E+03', '1,5E+03', '1500'],
  ['numeric(6,1)', '1.234,56 round', '1.234,55', '1234.6'],
]

for (const [type, format, text, becomes] of cases) {
  const name = becomes?.startsWith('<') === true ? `is refused: ${becomes}` : `is ${becomes ?? 'null'}`
  test(`${JSON.stringify(text)} as ${type}${format === null ? '' : ` of the form ${format}`} ${name}`, () => {
    assert.equal(converted(text, rule(type, { format })), becomes)
  })
}

test('a cell of a number is taken as it is, whatever the format says of texts', () => {
  const price = rule('numeric', { format: '1.234,56' })
  for (const text of ['1234.5', '0.125', '12', '1.234', '-7.001']) assert.equal(converted(text, price, 'typed'), text)
  assert.equal(converted('0.12', rule('numeric', { format: '12,5 %' }), 'typed'), '0.12')
  assert.equal(converted('1234.5', rule('integer', { format: '1.234,56 round' }), 'typed'), '1235')
  assert.equal(converted('1.234,56', price, 'typed'), '<not_a_number>')
})

test('a text beside cells of numbers is read by the format alone', () => {
  const price = rule('numeric', { format: '1.234,56' })
  assert.equal(converted('1.234', price), '1234')
  assert.equal(converted('1.234,56', price), '1234.56')
  assert.equal(converted('1234.5', price), '<not_a_number>')
  assert.equal(converted('12 %', rule('numeric', { format: '12,5 %' })), '0.12')
})

test('a value that a transform has changed is a text', () => {
  const price = rule('numeric', { format: '1.234,56', transform: 'replace("EUR ", "")' })
  assert.equal(converted('1.234', price, 'typed'), '1.234')
  assert.equal(converted('EUR 1.234', price), '1234')
  assert.equal(converted('1.234', rule('numeric', { format: '1.234,56', transform: 'suffix("0")' }), 'typed'), '<not_a_number>')
  assert.equal(converted('2024-03-04', rule('text', { transform: 'date("dd.MM.yyyy")' }), 'typed'), '2024-03-04')
  assert.equal(converted('2024-03-04', rule('text', { transform: 'date("dd.MM.yyyy")' })), '<not_a_date>')
})

test('of unknown origin, a number that could be two is refused rather than guessed', () => {
  assert.equal(converted('1.234', rule('numeric', { format: '1.234,56' }), 'unknown'), '<ambiguous_number>')
  assert.equal(converted('1.234', rule('integer', { format: '1.234,56' }), 'unknown'), '<ambiguous_number>')
  assert.equal(converted('1.234', rule('numeric', { format: '1234,56' }), 'unknown'), '1.234')
  assert.equal(converted('1.234,5', rule('numeric', { format: '1.234,56' }), 'unknown'), '1234.5')
})

test('an absurd number of digits costs no time', () => {
  const zeros = `1${'0'.repeat(100_000)}1`
  assert.equal(converted(zeros, rule('numeric(12,2)')), '<too_many_digits>')
  assert.equal(converted(`0.${zeros}`, rule('numeric(12,2)')), '<too_many_decimals>')
  assert.equal(converted(zeros, rule('integer')), '<out_of_range>')
})

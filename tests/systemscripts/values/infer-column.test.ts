import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inferColumn } from '../../../systemscripts/values/infer-column.ts'
import { converted, rule } from './rules.ts'

const cases: [values: (string | null)[], type: string, format: string | null][] = [
  [['1', '-2', null, ''], 'integer', null],
  [['0', '1'], 'integer', null],
  [['1', '2147483648'], 'bigint', null],
  [['9223372036854775808'], 'text', null],
  [['00123', '5'], 'text', null],
  [['+4930123', '5'], 'text', null],
  [['1.5', '2'], 'numeric', null],
  [['1.5', '9223372036854775808'], 'text', null],
  [['007.5', '1.5'], 'text', null],
  [['1E5', '2E7'], 'text', null],
  [['1.5E+05', '2.1E-03'], 'double precision', null],
  [['1.234,56', '12,00'], 'numeric', '1.234,56'],
  [['1,234', '5,678'], 'text', null],
  [['1,234', '5,678.1'], 'numeric', '1,234.56'],
  [['1 234 €', '5 €'], 'integer', '1 234.56 €'.replace('.', ',')],
  [['12,5 %', '3 %'], 'numeric', '1234,56 %'],
  [['(1,234.50)', '2.00'], 'numeric', '(1,234.56)'],
  [['5 kg', '6 kg'], 'text', null],
  [['10.1.2.3', '10.1.2.4'], 'text', null],
  [['2024-03-04', '2024-12-31'], 'date', null],
  [['2024-03-04', '2024-02-30'], 'text', null],
  [['2024-03-04 10:00', '2024-03-04'], 'timestamp without time zone', null],
  [['2024-03-04T10:00:00Z', '2024-03-04T10:00:00+01:00'], 'timestamp with time zone', null],
  [['2024-03-04T10:00:00Z', '2024-03-04T10:00:00'], 'text', null],
  [['03/04/2024', '05/06/2024'], 'text', null],
  [['03/04/2024', '25/06/2024'], 'date', 'd/M/yyyy'],
  [['03/04/2024', '06/25/2024'], 'date', 'M/d/yyyy'],
  [['03.04.24', '25.06.24'], 'text', null],
  [['03.04.24', '31.12.99'], 'date', 'd.M.yy'],
  [['3. März 2024', '1. Mai 2024'], 'date', 'd. MMM@de yyyy'],
  [['3-Mar-24', '14-Aug-24'], 'date', 'd-MMM-yy'],
  [['3/25/2024 4:05 PM'], 'timestamp without time zone', 'M/d/yyyy h:mm a'],
  [['20240304', '20240305', '20231231'], 'date', 'yyyyMMdd'],
  [['20240304', '20240399', '20231231'], 'integer', null],
  [['true', 'FALSE'], 'boolean', null],
  [['ja', 'nein'], 'boolean', 'ja/nein'],
  [['y', 'n'], 'text', null],
  [['yes'], 'text', null],
  [['10:30', '23:59'], 'time without time zone', null],
  [['26:30', '1:00'], 'interval', null],
  [['1:00', '2:00'], 'text', null],
  [['{"a":1}', '[]'], 'jsonb', null],
  [['3f1c9a52-9d0f-4c9e-8b1a-2f6f0d8a7c11'], 'uuid', null],
  [[null, '', ' '], 'text', null],
  [['NA', 'n/a'], 'text', null],
]

for (const [values, type, format] of cases) {
  test(`${JSON.stringify(values)} are proposed as ${type}${format === null ? '' : ` of the form ${format}`}`, () => {
    const proposal = inferColumn(values)
    assert.deepEqual({ type: proposal.type, format: proposal.format }, { type, format })
    assert.match(proposal.reason, /\.$/)
  })
}

test('words for nothing are proposed as null tokens, and only beside values of a type', () => {
  assert.deepEqual(inferColumn(['1', 'NA', '-', '3']).nullTokens, ['NA', '-'])
  assert.deepEqual(inferColumn(['x', 'NA', '-']).nullTokens, [])
})

test('a reason tells the evidence', () => {
  assert.equal(inferColumn(['00123', '5']).reason, 'Digits only, but "00123" begins with a zero, as codes do.')
  assert.equal(
    inferColumn(['03/04/2024', '05/06/2024']).reason,
    'Dates, but whether they are d/M/yyyy or M/d/yyyy none of 2 different values tells.',
  )
})

test('a proposal fits every value that it was made from', () => {
  const part = fc.constantFrom(
    '1',
    '12',
    '03',
    '2024',
    '.',
    ',',
    '/',
    '-',
    ':',
    ' ',
    '%',
    '€',
    'Mar',
    'NA',
    '5',
    '000',
    'e',
    'T',
    'Z',
    '(',
    ')',
  )
  const texts = fc.array(
    fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join('')),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(texts, (values) => {
      const { type, format, nullTokens } = inferColumn(values)
      for (const value of values)
        assert.ok(!converted(value, rule(type, { format, nullTokens }))?.startsWith('<'), `${value} as ${type} ${format}`)
    }),
    { numRuns: 3000 },
  )
})

test('cells of numbers beside texts of one form are one column of numbers', () => {
  const proposed = (cells: (string | number)[]) => {
    const { type, format } = inferColumn(
      cells.map(String),
      cells.map((cell) => typeof cell === 'number'),
    )
    return format === null ? type : `${type} ${format}`
  }
  assert.equal(proposed([1234.5, '1234.5', 7]), 'numeric')
  assert.equal(proposed([5, '6']), 'integer')
  assert.equal(proposed([5, '006']), 'text')
  assert.equal(proposed([1234.5, '1.234,56', '7']), 'numeric 1.234,56')
  assert.equal(proposed([5, '1.234.567']), 'integer 1.234,56')
  assert.equal(proposed([5_000_000_000, '1.234.567']), 'bigint 1.234,56')
  assert.equal(proposed([0.5, '12 %']), 'numeric 1234.56 %')
  // The cell says nothing about what the comma in the text is.
  assert.equal(proposed([1234.5, '1,234']), 'text')
  assert.equal(proposed([5, '+49123']), 'text')
})

test('cells of dates beside texts of one form are one column of dates', () => {
  const isTyped = [true, false, false]
  assert.deepEqual(
    [inferColumn(['2024-03-04', '31.12.2024', '1.2.2024'], isTyped)].map(({ type, format }) => [type, format]),
    [['date', 'd.M.yyyy']],
  )
  assert.equal(inferColumn(['2024-03-04 10:00:00', '31.12.2024'], isTyped).type, 'timestamp without time zone')
  assert.equal(inferColumn(['2024-03-04', '01/02/2024'], isTyped).type, 'text')
  assert.equal(inferColumn(['2024-03-04', 'soon'], isTyped).type, 'text')
})

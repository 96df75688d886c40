import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { columnNames } from '../../systemscripts/column-names.ts'

test('legacy names are lower case with underscores for blanks and dashes, and keep all else', () => {
  assert.deepEqual(columnNames(['Event ID', 'E-Mail', 'Price (€)', 'A & B', '% Change', 'ÄRGER'], 'legacy'), [
    'event_id',
    'e_mail',
    'price_(€)',
    'a_&_b',
    '%_change',
    'ärger',
  ])
})

test('readable names are words that need no quotes', () => {
  const names: Record<string, string> = {
    'Event ID': 'event_id',
    'E-Mail': 'e_mail',
    'Price (€)': 'price_euro',
    '% Change': 'percent_change',
    'PO#': 'po_number',
    'A & B': 'a_and_b',
    UnitPrice: 'unit_price',
    HTTPStatusCode: 'http_status_code',
    customerID: 'customer_id',
    "Driver's licence": 'drivers_licence',
    'Größe [mm]': 'größe_mm',
    'Temp. °C': 'temp_degree_c',
    '  spaced   out ': 'spaced_out',
    '2024 Sales': '_2024_sales',
    'Line 1\nLine 2': 'line_1_line_2',
  }
  for (const [header, name] of Object.entries(names)) assert.deepEqual(columnNames([header], 'readable'), [name])
})

test('a blank header is named by its place', () => {
  assert.deepEqual(columnNames(['a', '', ' \u00a0', '***'], 'readable'), ['a', 'column_2', 'column_3', 'column_4'])
  assert.deepEqual(columnNames(['', 'b'], 'legacy'), ['column_1', 'b'])
})

test('duplicates are numbered, and never take a name that another header has of its own', () => {
  assert.deepEqual(columnNames(['a', 'A', 'a_2', 'a'], 'legacy'), ['a', 'a_3', 'a_2', 'a_4'])
  assert.deepEqual(columnNames(['', 'column_1'], 'legacy'), ['column_1_2', 'column_1'])
})

test('names that Postgres keeps for itself get a suffix', () => {
  assert.deepEqual(columnNames(['ctid', 'XMIN', 'tableoid', 'order'], 'legacy'), ['ctid_value', 'xmin_value', 'tableoid_value', 'order'])
})

test('a long name is cut between characters, and is the same wherever it stands', () => {
  const long = 'ü'.repeat(40)
  const [alone] = columnNames([long], 'legacy')
  assert.equal(Buffer.byteLength(alone ?? ''), 63)
  assert.match(alone ?? '', /^ü{28}_[0-9a-f]{6}$/)
  const other = `${long.slice(0, -1)}x`
  const names = columnNames([other, long], 'legacy')
  assert.equal(names[1], alone)
  assert.notEqual(names[0], alone)
})

test('whatever the headers, names are unique, not empty, at most 63 bytes, without NUL, and none of Postgres’s own', () => {
  const header = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      'a',
      'A',
      'a_2',
      'a 2',
      'ctid',
      'ctid_value',
      'column_1',
      'column_2',
      '\0',
      '%',
      '#',
      'ü'.repeat(32),
      'x'.repeat(63),
      'x'.repeat(64),
    ),
    fc.string({ unit: 'binary', maxLength: 90 }),
  )
  fc.assert(
    fc.property(fc.array(header, { maxLength: 40 }), fc.constantFrom('legacy' as const, 'readable' as const), (headers, rule) => {
      const names = columnNames(headers, rule)
      assert.equal(names.length, headers.length)
      assert.equal(new Set(names).size, names.length)
      for (const name of names) {
        assert.ok(name !== '' && !name.includes('\0') && name.isWellFormed())
        assert.ok(Buffer.byteLength(name) <= 63, name)
        assert.ok(!['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'].includes(name))
      }
      assert.deepEqual(columnNames(headers, rule), names)
    }),
    { numRuns: 500 },
  )
})

test('a hundred thousand columns of one name are numbered without delay', () => {
  const names = columnNames(
    Array.from({ length: 100_000 }, () => 'value'),
    'legacy',
  )
  assert.deepEqual([names[0], names[1], names.at(-1)], ['value', 'value_2', 'value_100000'])
})

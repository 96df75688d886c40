import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PermanentError } from '../../systemscripts/errors.ts'
import { namePart, stemOf } from '../../systemscripts/name-part.ts'

const delimiter = '_'

test('without a spec the whole name is taken', () => {
  assert.equal(namePart(stemOf('prices.v2.csv'), { spec: null, delimiter }), 'prices.v2')
})

test('digits take the part of that number, counted from 0', () => {
  assert.equal(namePart('20261122_MeetMax_120399', { spec: '0', delimiter }), '20261122')
  assert.equal(namePart('20261122_MeetMax_120399', { spec: '2', delimiter }), '120399')
  assert.equal(namePart('a-b', { spec: '1', delimiter: '-' }), 'b')
})

test('a regular expression takes its first group, or all that it matches', () => {
  assert.equal(namePart('prices_20261122_eu', { spec: 'prices_(\\d+)', delimiter }), '20261122')
  assert.equal(namePart('prices_20261122_eu', { spec: '\\d{8}', delimiter }), '20261122')
  assert.equal(namePart('b', { spec: '(a)|(b)', delimiter }), 'b')
})

test('a part that is not there is refused with the parts there are', () => {
  assert.throws(
    () => namePart('a_b', { spec: '5', delimiter }),
    (error: unknown) => error instanceof PermanentError && error.code === 'name_part_not_found' && /"a", "b"/.test(error.detail ?? ''),
  )
  assert.throws(
    () => namePart('ab', { spec: '\\d+', delimiter }),
    (error: unknown) => error instanceof PermanentError && error.code === 'name_part_not_found',
  )
})

test('an expression that could look at a name for ever is refused', () => {
  assert.throws(() => namePart('aaaa!', { spec: '^(a+)+$', delimiter: '_' }), { code: 'name_spec_invalid', detail: /can take for ever/ })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillAddress, fillText } from '../../../systemscripts/web/ids/fill-template.ts'
import { listOf, parseFrontier, parseList, parseRange } from '../../../systemscripts/web/ids/id-spec.ts'

test('ranges, steps, leading zeros, frontiers and lists are read', () => {
  assert.deepEqual(parseRange('8..11'), { kind: 'range', first: 8n, last: 11n, step: 1n, width: 1 })
  assert.deepEqual(parseRange(' 008 .. 020 step 5 '), { kind: 'range', first: 8n, last: 20n, step: 5n, width: 3 })
  assert.deepEqual(parseRange('7..7'), { kind: 'range', first: 7n, last: 7n, step: 1n, width: 1 })
  assert.deepEqual(parseFrontier('099 misses 2'), { kind: 'frontier', first: 99n, misses: 2, width: 3 })
  assert.deepEqual(parseList('b, a\n c ,, a'), { kind: 'list', ids: ['b', 'a', 'c'] })
  assert.deepEqual(listOf(['2', '', '1', '2']), { kind: 'list', ids: ['2', '1'] })
  assert.deepEqual(listOf([]), { kind: 'list', ids: [] })
  for (const text of ['', '5', '5-9', '9..5', 'a..b', '1..2 step 0', '1..9999999999999999'])
    assert.throws(() => parseRange(text), { code: 'ids_invalid' })
  for (const text of ['5', '5 misses', '5 misses 0']) assert.throws(() => parseFrontier(text), { code: 'ids_invalid' })
  assert.throws(() => parseList(' , '), { code: 'ids_invalid' })
})

test('places of an address are filled so that they stay one part of it', () => {
  assert.equal(fillAddress('https://x.org/event_{id}/?q={id}', { id: 'a/b?c&d' }), 'https://x.org/event_a%2Fb%3Fc%26d/?q=a%2Fb%3Fc%26d')
  assert.equal(fillAddress('{id}', { id: 'https://x.org/a?b' }), 'https://x.org/a?b')
  assert.equal(fillText('{timestamp}_{id}.xls', { timestamp: '20261122', id: '7' }), '20261122_7.xls')
  assert.throws(() => fillText('{it}', { id: '7' }), { code: 'place_unknown', detail: 'Known are {id}.' })
  assert.throws(() => fillText('{constructor}', { id: '7' }), { code: 'place_unknown' })
})

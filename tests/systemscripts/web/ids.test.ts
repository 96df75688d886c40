import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fillAddress, fillText } from '../../../systemscripts/web/ids/fill-template.ts'
import { type IdSpec, listOf, parseFrontier, parseList, parseRange } from '../../../systemscripts/web/ids/id-spec.ts'
import { type IdCursor, walkIds } from '../../../systemscripts/web/ids/id-walk.ts'
import { signal } from './web-servers.ts'

async function allIds(spec: IdSpec, from: IdCursor | null = null, isHit = (_: string): boolean => true): Promise<string[]> {
  const walk = walkIds(spec, from)
  const ids: string[] = []
  for (let id = await walk.next(signal); id !== null; id = await walk.next(signal)) {
    ids.push(id)
    walk.finish(id, isHit(id))
  }
  return ids
}

test('ranges, steps, leading zeros and lists give their ids', async () => {
  assert.deepEqual(await allIds(parseRange('8..11')), ['8', '9', '10', '11'])
  assert.deepEqual(await allIds(parseRange(' 008 .. 020 step 5 ')), ['008', '013', '018'])
  assert.deepEqual(await allIds(parseRange('7..7')), ['7'])
  assert.deepEqual(await allIds(parseList('b, a\n c ,, a')), ['b', 'a', 'c'])
  assert.deepEqual(await allIds(listOf(['2', '', '1', '2'])), ['2', '1'])
  assert.deepEqual(await allIds(listOf([])), [])
  assert.equal(walkIds(parseRange('1..25000')).total, 25_000)
  for (const text of ['', '5', '5-9', '9..5', 'a..b', '1..2 step 0', '1..9999999999999999'])
    assert.throws(() => parseRange(text), { code: 'ids_invalid' })
  for (const text of ['5', '5 misses', '5 misses 0']) assert.throws(() => parseFrontier(text), { code: 'ids_invalid' })
  assert.throws(() => parseList(' , '), { code: 'ids_invalid' })
})

test('a frontier goes on until so many ids behind the last hit were none', async () => {
  const hits = new Set(['10', '12', '15'])
  assert.deepEqual(await allIds(parseFrontier('10 misses 3'), null, (id) => hits.has(id)), [
    '10',
    '11',
    '12',
    '13',
    '14',
    '15',
    '16',
    '17',
    '18',
  ])
  assert.deepEqual(await allIds(parseFrontier('099 misses 2'), null, () => false), ['099', '100'])
})

test('several takers never go further than a frontier allows, and wait at its edge', async () => {
  const walk = walkIds(parseFrontier('0 misses 2'))
  const first = [await walk.next(signal), await walk.next(signal)]
  assert.deepEqual(first, ['0', '1'])
  const third = walk.next(signal)
  walk.finish('0', false)
  walk.finish('1', true)
  assert.equal(await third, '2')
  const fourth = await walk.next(signal)
  const fifth = walk.next(signal)
  walk.finish(fourth ?? '', false)
  walk.finish('2', false)
  assert.equal(await fifth, null)
  const controller = new AbortController()
  const edge = walkIds(parseFrontier('0 misses 1'))
  await edge.next(signal)
  const waiting = edge.next(controller.signal)
  controller.abort(new Error('stopped'))
  await assert.rejects(waiting, { message: 'stopped' })
})

test('a walk that was cut anywhere goes on where it stood: every id once', async () => {
  const specs = [parseRange('5..24 step 2'), parseList('q,w,e,r,t,y'), parseFrontier('0 misses 4')]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...specs), fc.array(fc.nat(3), { maxLength: 30 }), async (spec, choices) => {
      const isHit = (id: string): boolean => Number(id) % 3 === 0 && Number(id) < 9
      const finished: string[] = []
      let cursor: IdCursor | null = null
      for (const part of [choices, []]) {
        const walk = walkIds(spec, cursor)
        const open: string[] = []
        for (const choice of part) {
          const isFree: boolean = choice > 0 && (walk.total !== null || open.length < 2)
          const id: string | null = isFree ? await walk.next(signal) : (open.splice(choice % Math.max(open.length, 1), 1)[0] ?? null)
          if (id === null) continue
          if (isFree) open.push(id)
          else {
            finished.push(id)
            walk.finish(id, isHit(id))
          }
        }
        assert.equal(walk.done(), finished.length)
        cursor = JSON.parse(JSON.stringify(walk.cursor()))
      }
      finished.push(...(await allIds(spec, cursor, isHit)))
      assert.deepEqual([...finished].sort(), (await allIds(spec, null, isHit)).sort())
    }),
    { numRuns: 300 },
  )
})

test('a list that changed since is entered at the same id, or from its beginning', async () => {
  const walk = walkIds(parseList('a,b,c,d'))
  for (const id of ['a', 'b']) {
    await walk.next(signal)
    walk.finish(id, true)
  }
  assert.deepEqual(await allIds(parseList('x,a,b,c,d'), walk.cursor()), ['c', 'd'])
  assert.deepEqual(await allIds(parseList('x,y'), walk.cursor()), ['x', 'y'])
})

test('places of an address are filled so that they stay one part of it', () => {
  assert.equal(fillAddress('https://x.org/event_{id}/?q={id}', { id: 'a/b?c&d' }), 'https://x.org/event_a%2Fb%3Fc%26d/?q=a%2Fb%3Fc%26d')
  assert.equal(fillAddress('{id}', { id: 'https://x.org/a?b' }), 'https://x.org/a?b')
  assert.equal(fillText('{timestamp}_{id}.xls', { timestamp: '20261122', id: '7' }), '20261122_7.xls')
  assert.throws(() => fillText('{it}', { id: '7' }), { code: 'place_unknown', detail: 'Known are {id}.' })
  assert.throws(() => fillText('{constructor}', { id: '7' }), { code: 'place_unknown' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { displayWidth } from '../../../systemscripts/documents/display-width.ts'
import { htmlTable } from '../../../systemscripts/documents/html-table.ts'
import { plainTable } from '../../../systemscripts/documents/plain-table.ts'
import { singleValue } from '../../../systemscripts/documents/single-value.ts'
import { manyRows, rowsOf } from './row-sources.ts'

test('markup in names and values is shown and not obeyed', async () => {
  const { text } = await htmlTable(rowsOf(['<b>n</b> text'], [['<script>alert("1")</script> & \'x\'']]))
  assert.doesNotMatch(text, /<script|<b>/)
  assert.match(text, /&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt; &amp; &#39;x&#39;<\/td>/)
})

test('numbers stand at the right, null is empty, a line end is one, and the header names the zone of moments', async () => {
  const source = rowsOf(
    ['n numeric', 't text', 'at timestamptz', 'yes boolean'],
    [
      ['1.50', null, '2026-03-01 08:00:00+01', 't'],
      [null, 'a\r\nb', null, null],
    ],
    {
      timeZone: 'Europe/Warsaw',
    },
  )
  const { text } = await htmlTable(source)
  const cells = [...text.matchAll(/<t[hd](?=[ >])([^>]*)>(.*?)<\/t[hd]>/g)].map(([, attributes = '', shown]) => [
    /right/.test(attributes),
    shown,
  ])
  assert.deepEqual(cells, [
    [true, 'n'],
    [false, 't'],
    [false, 'at (Europe/Warsaw)'],
    [false, 'yes'],
    [true, '1.50'],
    [false, ''],
    [false, '2026-03-01 08:00:00'],
    [false, 'true'],
    [false, ''],
    [false, 'a<br>b'],
    [false, ''],
    [false, ''],
  ])
})

test('rows beyond the limit are counted and said below the table', async () => {
  const { text, cut, shown, all } = await htmlTable(manyRows(['n integer'], 48_211, (row) => [String(row)]))
  assert.deepEqual([cut, shown, all], ['first 500 of 48,211 rows', 500, 48_211])
  assert.equal(text.match(/<td/g)?.length, 500)
  assert.match(text, /<p [^>]*>first 500 of 48,211 rows<\/p>$/)
})

test('rows that the query kept back count as well', async () => {
  const rows = (withheld: number | null) => manyRows(['n integer'], 10_000, (row) => [String(row)], { withheld: () => withheld })
  assert.equal((await htmlTable(rows(38_211), { maxRows: 10 })).cut, 'first 10 of 48,211 rows')
  assert.equal((await plainTable(rows(null), { maxRows: 10 })).cut, 'first 10 of more than 10,000 rows')
})

test('a table without rows says so', async () => {
  const { text, cut } = await htmlTable(rowsOf(['n integer'], []))
  assert.match(text, />n<\/th>.*no rows<\/p>$/s)
  assert.equal(cut, null)
  assert.equal((await plainTable(rowsOf(['n integer'], []))).text, 'n\n-\nno rows\n')
})

test('a plain table is aligned by what letters take in a terminal, and cuts what is long', async () => {
  const source = rowsOf(
    ['city text', 'n integer', 'note text'],
    [
      ['Kraków', '7', 'x'.repeat(60)],
      ['東京', '1234', 'two\nlines'],
      [null, null, null],
    ],
  )
  assert.equal(
    (await plainTable(source)).text,
    `city       n  note
------  ----  ${'-'.repeat(40)}
Kraków     7  ${'x'.repeat(39)}…
東京    1234  two lines

`,
  )
})

test('a mark on a letter takes no column, a wide letter takes two', () => {
  assert.deepEqual(['abc', 'Łódź', 'e\u0301', '東京', '😀', 'ﾊ', '\u200b'].map(displayWidth), [3, 4, 1, 4, 2, 1, 0])
})

test('a single value is what people read; no row is nothing', async () => {
  assert.deepEqual(await singleValue(rowsOf(['n numeric'], [['1234.50']]), 'total'), { text: '1234.50', value: '1234.50', kind: 'numeric' })
  assert.equal((await singleValue(rowsOf(['n numeric'], []), 'total')).text, '')
  assert.equal((await singleValue(rowsOf(['n numeric'], [[null]]), 'total')).text, '')
})

test('a value that is not single is refused', async () => {
  const refused = { code: 'value_is_not_single', message: 'Query "total" does not answer one single value' }
  await assert.rejects(singleValue(rowsOf(['a text', 'b text'], []), 'total'), { ...refused, detail: 'It answers 2 columns.' })
  await assert.rejects(singleValue(rowsOf(['a text'], [['1'], ['2']]), 'total'), { ...refused, detail: 'It answers more than one row.' })
  await assert.rejects(singleValue(rowsOf(['a text'], [[null], [null]]), 'total'), refused)
})

import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { createCanvas, type Image, loadImage } from '@napi-rs/canvas'
import { thin } from '../../../systemscripts/documents/chart/thin.ts'
import { timeTicks } from '../../../systemscripts/documents/chart/time-ticks.ts'
import { drawChart } from '../../../systemscripts/documents/chart.ts'
import { manyRows, rowsOf } from './row-sources.ts'

const days = rowsOf.bind(null, ['day date', 'added integer', 'note text', 'removed numeric'])

test('a line chart is a picture of twice its size, and its words say the numbers', async () => {
  const rows = [
    ['2026-10-01', '10', 'x', '1.5'],
    ['2026-10-02', null, 'y', '2.5'],
    ['2026-10-03', '1234', 'z', '-3'],
  ]
  const { png, width, height, alt, notes } = await drawChart(days(rows), 'line', { name: 'changes', title: 'Events per day' })
  const image = await loadImage(Buffer.from(png))
  assert.deepEqual([image.width, image.height], [2 * width, 2 * height])
  assert.equal(
    alt,
    'Line chart "Events per day", day: 3 points from 2026-10-01 to 2026-10-03. added: first 10, last 1,234, lowest 10 (2026-10-01), ' +
      'highest 1,234 (2026-10-03), 1 gap. removed: first 1.5, last -3, lowest -3 (2026-10-03), highest 2.5 (2026-10-02).',
  )
  assert.deepEqual(notes, [])
})

test('lines are drawn in the colours of the palette, and null is a gap', async () => {
  const rows = Array.from({ length: 60 }, (_, at) => [`2026-10-01 10:${String(at).padStart(2, '0')}:00`, at >= 20 && at < 40 ? null : '5'])
  const { png } = await drawChart(rowsOf(['at timestamp', 'n integer'], rows), 'line', { name: 'gap' })
  const columns = columnsInColour(await loadImage(Buffer.from(png)), [0x28, 0x78, 0xc8])
  const [left = 0, right = 0] = [Math.min(...columns), Math.max(...columns)]
  const middle = columns.filter((x) => x > left + (right - left) * 0.36 && x < left + (right - left) * 0.64)
  assert.ok(right - left > 1000, `the line goes from ${left} to ${right}`)
  assert.deepEqual(middle, [])
})

test('whatever a chart writes is in the font that comes with the program, on a machine with other fonts as well', async (t) => {
  const context: unknown = Object.getPrototypeOf(createCanvas(1, 1).getContext('2d'))
  assert.ok(typeof context === 'object' && context !== null)
  const font = Object.getOwnPropertyDescriptor(context, 'font')
  const write = Object.getOwnPropertyDescriptor(context, 'fillText')
  assert.ok(font?.get && typeof write?.value === 'function')
  const fonts = new Set<unknown>()
  const { get } = font
  const fillText: unknown = write.value
  Object.defineProperty(context, 'fillText', {
    ...write,
    value(this: unknown, ...args: unknown[]) {
      fonts.add(get.call(this))
      assert.ok(typeof fillText === 'function')
      return Reflect.apply(fillText, this, args)
    },
  })
  t.after(() => Object.defineProperty(context, 'fillText', write))
  const rows = days([
    ['2026-10-01', '10', 'x', '1.5'],
    ['2026-10-02', '20', 'y', '2.5'],
  ])
  await drawChart(rows, 'line', { name: 'lines', title: 'Events' })
  assert.ok(fonts.size > 0)
  assert.deepEqual(
    [...fonts].filter((used) => typeof used !== 'string' || !/DejaVu Sans/.test(used)),
    [],
  )
})

test('bars are drawn from zero, for negative values as well', async () => {
  const { png, alt } = await drawChart(
    rowsOf(
      ['city text', 'n integer'],
      [
        ['Łódź', '5'],
        ['東京', '-5'],
      ],
    ),
    'bar',
    { name: 'cities' },
  )
  assert.ok(columnsInColour(await loadImage(Buffer.from(png)), [0x28, 0x78, 0xc8]).length > 400)
  assert.match(alt, /^Bar chart "cities", city: 2 points from Łódź to 東京[.] n: first 5, last -5/)
})

test('ten thousand points are thinned without losing a spike, which is said', async () => {
  const source = manyRows(['at timestamptz', 'n float8'], 10_000, (row) => [moment(row), row === 5000 ? '99' : String(row % 7)])
  const { alt, notes } = await drawChart(source, 'line', { name: 'many' })
  assert.deepEqual(notes, ['10,000 points, of each 14 neighbours the lowest and the highest are drawn'])
  assert.match(alt, /highest 99 [(]2026-10-04 11:20:00[)]/)
  const values = Array.from({ length: 10_000 }, (_, at) => (at === 5000 ? 99 : at === 7777 ? null : at % 7))
  const points = thin([...values.keys()], values, 14)
  assert.ok(points.length < 2200)
  assert.ok(points.some(({ x, y }) => x === 5000 && y === 99))
  assert.ok(points.some(({ x, y }) => x === 7777 && y === null))
  assert.deepEqual(
    [points[0], points.at(-1)],
    [
      { x: 0, y: 0 },
      { x: 9999, y: 9999 % 7 },
    ],
  )
})

test('drawing ten thousand points holds up other work for less than a second', async () => {
  const source = manyRows(['at timestamptz', 'n float8', 'm float8'], 10_000, (row) => [moment(row), String(row % 7), String(row % 11)])
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  await drawChart(source, 'line', { name: 'many' })
  assert.ok(delay.max < 1e9, `held up for ${delay.max / 1e6} ms`)
})

test('rows without x and values that are no number are left out and said', async () => {
  const { notes } = await drawChart(
    rowsOf(
      ['day date', 'n float8'],
      [
        [null, '1'],
        ['infinity', '1'],
        ['2026-10-01', 'NaN'],
      ],
    ),
    'line',
    { name: 'odd' },
  )
  assert.deepEqual(notes, ['2 rows without a place on the x axis are left out', '1 values that are no number are gaps'])
})

test('bars that would be too narrow are left out and said', async () => {
  const { notes } = await drawChart(
    manyRows(['n text', 'v integer'], 500, (row) => [`c${row}`, '1']),
    'bar',
    { name: 'many' },
  )
  assert.deepEqual(notes, ['bars of the first 120 of 500 rows'])
})

test('a sparkline may do without x', async () => {
  const { alt, width } = await drawChart(rowsOf(['n integer'], [['1'], ['3'], ['2']]), 'sparkline', { name: 'trend' })
  assert.equal(width, 160)
  assert.equal(alt, 'Sparkline "trend", row: 3 points from 1 to 3. n: first 1, last 2, lowest 1 (1), highest 3 (2).')
})

test('no rows make an empty chart that says so', async () => {
  const { alt, png } = await drawChart(days([]), 'bar', { name: 'changes' })
  assert.equal(alt, 'Bar chart "changes": no rows.')
  assert.ok((await loadImage(Buffer.from(png))).width > 0)
})

test('a query that cannot be drawn is refused with what it answers', async () => {
  await assert.rejects(drawChart(rowsOf(['n integer'], []), 'line', { name: 'q' }), {
    code: 'chart_has_no_x',
    detail: 'It answers "n" (integer).',
  })
  await assert.rejects(drawChart(rowsOf(['n integer', 'name text'], []), 'line', { name: 'q' }), {
    code: 'chart_has_no_numbers',
    detail: 'It answers "n" (integer), "name" (text); the first column is the x axis.',
  })
  await assert.rejects(drawChart(rowsOf(['x text', ...Array.from({ length: 9 }, (_, at) => `c${at} integer`)], []), 'bar', { name: 'q' }), {
    code: 'chart_has_too_many_series',
    detail: 'It has 9 series; a chart holds 8.',
  })
})

test('marks on an axis of time stand at round times and say which day or year it is', () => {
  const labels = (from: string, to: string, daysOnly = false) =>
    timeTicks(Date.parse(from), Date.parse(to), daysOnly).map(({ label }) => [label].flat().join(' '))
  assert.deepEqual(labels('2026-10-01T21:10:00Z', '2026-10-02T03:00:00Z'), [
    '22:00 1 Oct',
    '23:00',
    '00:00 2 Oct',
    '01:00',
    '02:00',
    '03:00',
  ])
  const newYear = ['29 Dec 2026', '30 Dec', '31 Dec', '1 Jan 2027', '2 Jan']
  assert.deepEqual(labels('2026-12-29T00:00:00Z', '2027-01-02T00:00:00Z', true), newYear)
  assert.deepEqual(labels('2026-01-15T00:00:00Z', '2027-03-01T00:00:00Z'), ['Mar 2026', 'May', 'Jul', 'Sep', 'Nov', 'Jan 2027', 'Mar'])
})

function moment(minute: number): string {
  return `${new Date(Date.UTC(2026, 9, 1) + minute * 60_000).toISOString().slice(0, 19).replace('T', ' ')}+00`
}

/** The places across at which the picture has that colour. */
function columnsInColour(image: Image, [red = 0, green = 0, blue = 0]: number[]): number[] {
  const context = createCanvas(image.width, image.height).getContext('2d')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, image.width, image.height)
  const found = new Set<number>()
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) found.add((at / 4) % image.width)
  }
  return [...found]
}

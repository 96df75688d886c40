import { altText } from './chart/alt-text.ts'
import { type ChartData, type ChartKind, readChartData } from './chart/chart-data.ts'
import { drawPng } from './chart/draw-png.ts'
import { bucketSize } from './chart/thin.ts'
import { grouped, type RowSource } from './row-source.ts'

export interface ChartOptions {
  /** Of the query, for messages, and the title where there is none. */
  name: string
  title?: string
}

/** A picture for a mail. */
export interface DrawnChart {
  png: Uint8Array
  /** To be shown in this size, in CSS pixels; the picture has twice as many, for sharp screens. */
  width: number
  height: number
  /** What it shows, in words, for `alt` and for the text part. */
  alt: string
  /** What was left out or thinned, in sentences; the picture says it as well, save a sparkline. */
  notes: string[]
}

const SIZES: Record<ChartKind, { width: number; height: number }> = {
  line: { width: 720, height: 360 },
  bar: { width: 720, height: 360 },
  sparkline: { width: 160, height: 36 },
}
const WORDS: Record<ChartKind, string> = { line: 'Line chart', bar: 'Bar chart', sparkline: 'Sparkline' }
/** Narrower bars cannot be told apart. */
const MOST_BARS = 120

/**
 * Draws a query as PNG. The first column is x: dates and moments make an axis of time, numbers one of numbers, all else categories in the order of the
 * query; every further column of numbers is a series. Null is a gap. A line of more than 1,500 points is drawn by the lowest and the highest of
 * neighbours, bars beyond 120 are left out; the picture says so. A sparkline draws the first series, and may do without x. No rows: an empty chart
 * that says "no rows".
 *
 * Lines and bars stand on white, a sparkline on nothing, in colours that read on white and on black. Drawing holds up the event loop for less than
 * a quarter of a second.
 *
 * @throws PermanentError `chart_has_no_x`, `chart_has_no_numbers`, `chart_has_too_many_series`
 */
export async function drawChart(source: RowSource, kind: ChartKind, { name, title = name }: ChartOptions): Promise<DrawnChart> {
  const size = SIZES[kind]
  const all = await readChartData(source, name, kind === 'sparkline')
  const data = kind === 'bar' ? barsThatFit(all) : kind === 'sparkline' ? { ...all, series: all.series.slice(0, 1) } : all
  const notes = kind === 'bar' ? data.notes : [...data.notes, ...thinned(data.places.length)]
  const png = await drawPng({ ...data, notes }, kind, title, size)
  return { png, ...size, alt: altText({ ...data, notes }, WORDS[kind], title), notes }
}

function barsThatFit(data: ChartData): ChartData {
  const count = data.places.length
  if (count <= MOST_BARS) return data
  return {
    ...data,
    places: data.places.slice(0, MOST_BARS),
    labels: data.labels.slice(0, MOST_BARS),
    series: data.series.map(({ name, values }) => ({ name, values: values.slice(0, MOST_BARS) })),
    notes: [...data.notes, `bars of the first ${MOST_BARS} of ${grouped(count)} rows`],
  }
}

function thinned(points: number): string[] {
  const size = bucketSize(points)
  return size === 1 ? [] : [`${grouped(points)} points, of each ${size} neighbours the lowest and the highest are drawn`]
}

import type { ChartOptions } from 'chart.js'
import { shownNumber } from './alt-text.ts'
import type { ChartData } from './chart-data.ts'
import { GRID, SOFT_INK } from './palette.ts'
import { DAY, type Tick, timeTicks } from './time-ticks.ts'

export type ChartScales = NonNullable<ChartOptions<'line' | 'bar'>['scales']>

const LONGEST_LABEL = 24
const MOST_CATEGORIES = 12
/** Side by side. */
const LETTERS_BELOW_AXIS = 96

/** The axes of a line, and of bars: bars begin at zero, since their length is what is read. */
export function chartScales(data: ChartData, kind: 'line' | 'bar'): ChartScales {
  const title = { display: data.places.length > 0, text: short(data.xName, 80), color: SOFT_INK }
  const y = {
    type: 'linear' as const,
    beginAtZero: kind === 'bar',
    grid: { color: GRID },
    border: { display: false },
    ticks: { color: SOFT_INK, maxTicksLimit: 8, callback: (value: number | string) => shownNumber(Number(value)) },
  }
  const grid = { display: false }
  if (kind === 'bar') return { x: { type: 'category', grid, title, ticks: { color: SOFT_INK, autoSkip: true, maxRotation: 60 } }, y }
  const from = data.places[0] ?? 0
  const to = data.places.at(-1) ?? 1
  const ticks = lineTicks(data, from, to)
  const marks = {
    color: SOFT_INK,
    maxRotation: 0,
    autoSkip: false,
    callback: (value: number | string, at: number) => ticks?.[at]?.label ?? shownNumber(Number(value)),
  }
  const room = to > from ? 0 : 1
  return { x: { type: 'linear', min: from - room, max: to + room, grid, title, ticks: marks, afterBuildTicks }, y }

  function afterBuildTicks(axis: { ticks: { value: number }[] }): void {
    if (ticks !== null) axis.ticks = ticks.map(({ value }) => ({ value }))
  }
}

/** Labels of bars. */
export function shortLabels(data: ChartData): string[] {
  return data.labels.map((label) => short(label, LONGEST_LABEL))
}

/** Null: the library's own, for numbers. */
function lineTicks({ axis, places, labels }: ChartData, from: number, to: number): Tick[] | null {
  if (places.length === 0) return []
  if (axis === 'number') return null
  if (axis === 'time')
    return from === to
      ? [{ value: from, label: labels[0] ?? '' }]
      : timeTicks(
          from,
          to,
          places.every((place) => place % DAY === 0),
        )
  const names = labels.map((label) => short(label, LONGEST_LABEL))
  const longest = names.reduce((most, name) => Math.max(most, name.length), 1)
  const step = Math.ceil(places.length / Math.min(MOST_CATEGORIES, Math.max(2, Math.floor(LETTERS_BELOW_AXIS / (longest + 2)))))
  return places.flatMap((value, at) => (at % step === 0 ? [{ value, label: names[at] ?? '' }] : []))
}

function short(text: string, most: number): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > most ? `${line.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : line
}

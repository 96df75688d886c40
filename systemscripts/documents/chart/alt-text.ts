import { grouped } from '../row-source.ts'
import type { ChartData, Series } from './chart-data.ts'

/**
 * What the picture shows, in words, for those who do not see it: of each series the first and the last value, the lowest and the highest with their
 * places, and the gaps. At most a few hundred characters for each series.
 */
export function altText(data: ChartData, what: string, title: string): string {
  const { labels, series, notes } = data
  const begin = `${what} "${short(title)}"`
  if (labels.length === 0) return `${begin}: no rows.`
  const points = `${grouped(labels.length)} ${labels.length === 1 ? 'point' : 'points'}`
  const range = labels.length === 1 ? `at ${short(labels[0])}` : `from ${short(labels[0])} to ${short(labels.at(-1))}`
  const said = [`${begin}, ${data.xName}: ${points} ${range}`, ...series.map((one) => seriesInWords(one, labels)), ...notes]
  return `${said.join('. ')}.`
}

function seriesInWords({ name, values }: Series, labels: readonly string[]): string {
  const there = values.flatMap((value, at) => (value === null ? [] : [{ value, label: short(labels[at]) }]))
  const [first] = there
  const last = there.at(-1)
  if (first === undefined || last === undefined) return `${short(name)}: no value`
  let lowest = first
  let highest = first
  for (const one of there) {
    if (one.value < lowest.value) lowest = one
    if (one.value > highest.value) highest = one
  }
  const gaps = values.length - there.length
  const begin = there.length === 1 ? shownNumber(first.value) : `first ${shownNumber(first.value)}, last ${shownNumber(last.value)}`
  const extremes = `lowest ${shownNumber(lowest.value)} (${lowest.label}), highest ${shownNumber(highest.value)} (${highest.label})`
  const gapWords = gaps === 0 ? '' : `, ${grouped(gaps)} ${gaps === 1 ? 'gap' : 'gaps'}`
  return `${short(name)}: ${there.length === 1 ? begin : `${begin}, ${extremes}`}${gapWords}`
}

/** `1,234.5`; very large and very small ones with an exponent. */
export function shownNumber(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(3).replace(/\.?0+e/, 'e')
  return value.toLocaleString('en-US', { maximumSignificantDigits: size >= 1e6 ? 15 : 7, maximumFractionDigits: 6 })
}

function short(text = ''): string {
  return text.length > 60 ? `${text.slice(0, 59).replace(/[\uD800-\uDBFF]$/, '')}…` : text
}

import { PermanentError } from '../../errors.ts'
import { type Cell, type Column, cutSentence, eachRow, grouped, type RowSource, rowCount } from '../row-source.ts'
import { shownHeader, shownValue } from '../shown-value.ts'
import { isNumber, type ValueKind, valueKind } from '../value-kind.ts'

export type ChartKind = 'line' | 'bar' | 'sparkline'

/** What a chart draws: places along x, and for each series one value at each place. */
export interface ChartData {
  /** `time`: places are milliseconds of the clock on the wall, counted as if it were UTC. `category`: places are 0, 1, 2 … */
  axis: 'time' | 'number' | 'category'
  /** The name of x, with its zone. */
  xName: string
  places: number[]
  /** The values of x as people read them. */
  labels: string[]
  series: Series[]
  notes: string[]
}

export interface Series {
  name: string
  /** Null: a gap. */
  values: (number | null)[]
}

export const MOST_SERIES = 8

/**
 * The first column is x, every other column of numbers is a series; a chart of one column of numbers, for a sparkline, counts its rows as x. Null is a
 * gap; rows without x are left out and said. Times and numbers of x are put in order.
 *
 * @throws PermanentError `chart_has_no_x`, `chart_has_no_numbers`, `chart_has_too_many_series`
 */
export async function readChartData(source: RowSource, name: string, mayLackX: boolean): Promise<ChartData> {
  const kinds = source.columns.map(({ typeOid }) => valueKind(typeOid))
  const lacksX = mayLackX && source.columns.length === 1
  const drawn = kinds.flatMap((kind, at) => (isNumber(kind) && (at > 0 || lacksX) ? [at] : []))
  refuseUndrawable(source.columns, kinds, drawn, name, lacksX)
  const xKind = lacksX ? 'integer' : (kinds[0] ?? 'text')
  const axis = axisOf(xKind)
  const series = drawn.map((at): Series => ({ name: source.columns[at]?.name ?? '', values: [] }))
  const data: ChartData = { axis, xName: xNameOf(source, lacksX), places: [], labels: [], series, notes: [] }
  const left = { withoutX: 0, notFinite: 0 }
  let rows = 0
  for await (const row of eachRow(source)) {
    rows += 1
    const x = lacksX ? String(rows) : (row[0] ?? null)
    const place = placeOf(x, axis, data.places.length)
    if (x === null || place === null) {
      left.withoutX += 1
      continue
    }
    data.places.push(place)
    data.labels.push(labelOf(x, xKind))
    drawn.forEach((at, index) => {
      const value = numberOf(row[at] ?? null)
      if (value === null && row[at] != null) left.notFinite += 1
      series[index]?.values.push(value)
    })
  }
  const cut = cutSentence(rowCount(source, rows, rows))
  if (cut !== null) data.notes.push(cut)
  if (left.withoutX > 0) data.notes.push(`${grouped(left.withoutX)} rows without a place on the x axis are left out`)
  if (left.notFinite > 0) data.notes.push(`${grouped(left.notFinite)} values that are no number are gaps`)
  return axis === 'category' ? data : inOrder(data)
}

function axisOf(kind: ValueKind): ChartData['axis'] {
  if (kind === 'date' || kind === 'timestamp' || kind === 'timestamptz') return 'time'
  return isNumber(kind) ? 'number' : 'category'
}

function xNameOf(source: RowSource, lacksX: boolean): string {
  const [first] = source.columns
  return lacksX || first === undefined ? 'row' : shownHeader(first, source.timeZone)
}

function placeOf(x: Cell, axis: ChartData['axis'], next: number): number | null {
  if (x === null) return null
  if (axis === 'category') return next
  if (axis === 'number') return numberOf(x)
  const wall = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d(?:\.\d+)?))?(?:[+-]\d\d(?::\d\d){0,2})?$/.exec(x)
  if (wall === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = wall.slice(1).map((part) => Number(part ?? 0))
  return Date.UTC(year, month - 1, day, hour, minute) + Math.round(second * 1000)
}

function labelOf(x: string, kind: ValueKind): string {
  return shownValue(x, kind).replace(/ 00:00:00$/, '')
}

function numberOf(value: Cell): number | null {
  if (value === null) return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

function inOrder(data: ChartData): ChartData {
  if (data.places.every((place, at) => at === 0 || place >= (data.places[at - 1] ?? 0))) return data
  const order = [...data.places.keys()].sort((a, b) => (data.places[a] ?? 0) - (data.places[b] ?? 0))
  return {
    ...data,
    places: order.map((at) => data.places[at] ?? 0),
    labels: order.map((at) => data.labels[at] ?? ''),
    series: data.series.map(({ name, values }) => ({ name, values: order.map((at) => values[at] ?? null) })),
  }
}

function refuseUndrawable(
  columns: readonly Column[],
  kinds: readonly ValueKind[],
  drawn: readonly number[],
  name: string,
  lacksX: boolean,
): void {
  const seen = columns.map((column, at) => `"${column.name}" (${kinds[at]})`).join(', ')
  if (columns.length < 2 && !(lacksX && drawn.length === 1)) {
    throw new PermanentError('chart_has_no_x', `Query "${name}" has too few columns for a chart`, {
      detail: `It answers ${seen === '' ? 'no columns' : seen}.`,
      hint: 'Let the first column be what runs along the x axis, such as a date, and each further column of numbers a series.',
    })
  }
  if (drawn.length === 0) {
    throw new PermanentError('chart_has_no_numbers', `Query "${name}" has no column of numbers to draw`, {
      detail: `It answers ${seen}; the first column is the x axis.`,
      hint: 'Add a column of numbers behind the first, or cast one in query_text of dba.reportquery: amount::numeric.',
    })
  }
  if (drawn.length > MOST_SERIES) {
    throw new PermanentError('chart_has_too_many_series', `Query "${name}" has more columns of numbers than a chart can tell apart`, {
      detail: `It has ${drawn.length} series; a chart holds ${MOST_SERIES}.`,
      hint: 'Draw two charts, or sum what belongs together.',
    })
  }
}

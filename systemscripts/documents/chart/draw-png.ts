import type { ChartConfiguration, ChartDataset, Plugin } from 'chart.js'
import { FONT_FAMILY, fontFiles } from '../fonts.ts'
import type { ChartData, ChartKind } from './chart-data.ts'
import { CARD, CARD_BORDER, INK, PALETTE, SOFT_INK } from './palette.ts'
import { chartScales, shortLabels } from './scales.ts'
import { bucketSize, type Point, thin } from './thin.ts'

const SHARPNESS = 2
/** Below that, points are marked. */
const MARKED_POINTS = 40
const LONGEST_TITLE = 90

export interface Size {
  width: number
  height: number
}

type Config = ChartConfiguration<'line' | 'bar', Point[], string>

/** The libraries are loaded when the first chart is drawn: together they take 0.1 s. */
export async function drawPng(data: ChartData, kind: ChartKind, title: string, { width, height }: Size): Promise<Uint8Array> {
  const { Chart, ...chart } = await import('chart.js')
  const { createCanvas, GlobalFonts } = await import('@napi-rs/canvas')
  if (!GlobalFonts.has(FONT_FAMILY)) {
    const { regular, bold } = fontFiles()
    GlobalFonts.registerFromPath(regular, FONT_FAMILY)
    GlobalFonts.registerFromPath(bold, FONT_FAMILY)
  }
  // Titles and scales do not follow the font of their chart.
  Chart.defaults.font.family = FONT_FAMILY
  Chart.register(chart.LineController, chart.BarController, chart.LineElement, chart.PointElement, chart.BarElement)
  Chart.register(chart.LinearScale, chart.CategoryScale, chart.Legend, chart.Title, chart.SubTitle)
  const canvas = createCanvas(width, height)
  const config = kind === 'sparkline' ? sparkline(data) : fullChart(data, kind, title)
  // A canvas of the browser by its behaviour, not by its type.
  const drawn = new Chart<'line' | 'bar', Point[], string>(canvas, config)
  const png = await canvas.encode('png')
  drawn.destroy()
  return png
}

function fullChart(data: ChartData, kind: 'line' | 'bar', title: string): Config {
  const isEmpty = data.places.length === 0
  const subtitle = isEmpty ? ['no rows'] : data.notes
  return {
    type: kind,
    data: {
      labels: kind === 'bar' ? shortLabels(data) : [],
      datasets: kind === 'bar' ? bars(data) : lines(data),
    },
    options: {
      ...STILL,
      layout: { padding: { left: 14, right: 22, top: 10, bottom: 10 } },
      scales: chartScales(data, kind),
      plugins: {
        legend: { display: data.series.length > 1, position: 'bottom', labels: { color: INK, usePointStyle: true, boxHeight: 7 } },
        title: {
          display: true,
          text: short(title),
          align: 'start',
          color: INK,
          font: { size: 15, weight: 'bold' },
          padding: { bottom: subtitle.length > 0 ? 4 : 14 },
        },
        subtitle: { display: subtitle.length > 0, text: subtitle, align: 'start', color: SOFT_INK, padding: { bottom: 14 } },
      },
    },
    plugins: [card],
  }
}

function sparkline(data: ChartData): Config {
  const [line] = lines(data)
  return {
    type: 'line',
    data: { labels: [], datasets: line === undefined ? [] : [{ ...line, borderWidth: 1.5, pointRadius: lastOnly }] },
    options: {
      ...STILL,
      layout: { padding: 5 },
      scales: { x: { type: 'linear', display: false }, y: { type: 'linear', display: false } },
      plugins: { legend: { display: false } },
    },
  }
}

/** Nothing moves, nothing is asked of the machine's language or screen. */
const STILL = {
  responsive: false,
  animation: false,
  parsing: false,
  normalized: true,
  devicePixelRatio: SHARPNESS,
  locale: 'en-US',
} as const

function lines({ places, series }: ChartData): ChartDataset<'line', Point[]>[] {
  const size = bucketSize(places.length)
  return series.map(({ name, values }, at) => {
    const points = thin(places, values, size)
    return {
      type: 'line',
      label: short(name),
      data: points,
      borderColor: colour(at),
      backgroundColor: colour(at),
      borderWidth: 2,
      borderJoinStyle: 'round',
      spanGaps: false,
      clip: 6,
      pointStyle: 'circle',
      pointRadius: ({ dataIndex }) => (points.length <= MARKED_POINTS ? 2.5 : standsAlone(points, dataIndex) ? 2 : 0),
    }
  })
}

function bars({ series }: ChartData): ChartDataset<'bar', Point[]>[] {
  return series.map(({ name, values }, at) => ({
    type: 'bar',
    label: short(name),
    data: values.map((y, x) => ({ x, y })),
    backgroundColor: colour(at),
    pointStyle: 'rect',
    categoryPercentage: 0.82,
    barPercentage: 0.95,
  }))
}

/** Between two gaps no line shows it. */
function standsAlone(points: readonly Point[], at: number): boolean {
  return points[at - 1]?.y == null && points[at + 1]?.y == null
}

function lastOnly({ dataIndex, dataset }: { dataIndex: number; dataset: { data: unknown[] } }): number {
  return dataIndex === dataset.data.length - 1 ? 2.5 : 0
}

/** The ground that the chart stands on. */
const card: Plugin = {
  id: 'card',
  beforeDraw({ ctx, width, height }) {
    ctx.save()
    ctx.fillStyle = CARD
    ctx.strokeStyle = CARD_BORDER
    ctx.lineWidth = 1
    ctx.beginPath()
    ctx.roundRect(0.5, 0.5, width - 1, height - 1, 6)
    ctx.fill()
    ctx.stroke()
    ctx.restore()
  },
}

function colour(at: number): string {
  return PALETTE[at % PALETTE.length] ?? INK
}

function short(text: string): string {
  return text.length > LONGEST_TITLE ? `${text.slice(0, LONGEST_TITLE - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text
}

import type { Output } from './output.ts'
import { plain } from './print-table.ts'

export interface ProgressBar {
  /** `fraction` from 0 to 1, null when unknown. */
  show(fraction: number | null, note: string | null): void
  /** Takes the bar away, so that a line can be written in its place. */
  clear(): void
}

/** A bar in the last line of a terminal; elsewhere nothing is shown. */
export function createProgressBar(stream: Output): ProgressBar {
  if (!stream.isTerminal) return { show: () => {}, clear: () => {} }
  return {
    show: (fraction, note) => stream.write(`\r\u001b[K${barText(fraction, note).slice(0, (stream.width ?? 80) - 1)}`),
    clear: () => stream.write('\r\u001b[K'),
  }
}

const width = 30

function barText(fraction: number | null, note: string | null): string {
  const said = note === null ? '' : `  ${plain(note)}`
  if (fraction === null) return `[${'.'.repeat(width)}]${said}`
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width)
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${String(Math.round(fraction * 100)).padStart(3)} %${said}`
}

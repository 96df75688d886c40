/** The rows of a file that were left out. */
import type { RowReject } from '../copy-plan.ts'
import { emptyFormulasInWords } from '../empty-formulas.ts'
import type { FormulasMet, LoadHost, TablesLoad } from './load.ts'
import { LoadRefused, type Rejects } from './load-refused.ts'

/** So many are kept one by one; of the others only how many. */
const MOST_TOLD = 100_000

/** In characters, roughly, of what is kept of them. */
const MOST_CHARACTERS = 64 * 1024 * 1024

export interface RejectBook {
  /** How many more may be told one by one. */
  room(): number
  /** @param count of the rows left out, those told included */
  add(told: RowReject[], count: number): void
  /** What has been left out so far, without what a person has dismissed. */
  sum(): Rejects
}

export function createRejectBook(dismissed: LoadHost['dismissed']): RejectBook {
  const accepted = new Set(dismissed.map(placeOf))
  const told: RowReject[] = []
  let count = 0
  let characters = 0
  return { room, add, sum: () => ({ count, told }) }

  function room(): number {
    return characters > MOST_CHARACTERS ? 0 : MOST_TOLD - told.length
  }

  function add(rows: RowReject[], all: number): void {
    const open = rows.filter((row) => !accepted.has(placeOf(row)))
    count += all - (rows.length - open.length)
    for (const row of open) {
      if (room() <= 0) return
      told.push(row)
      characters += lengthOf(row)
    }
  }
}

/** @throws LoadRefused `too_many_rejects` */
export function requireFewRejects({ count, told }: Rejects, rowsRead: number, load: TablesLoad, formulas: FormulasMet[]): void {
  const { maxRejects, maxRejectPercent, fileName, mode } = load
  const isAboveCount = maxRejects !== null && count > maxRejects
  const isAbovePercent = maxRejectPercent !== null && count * 100 > maxRejectPercent * rowsRead
  // Whatever the limits: rows that are good are not replaced by none.
  const isAll = count > 0 && count >= rowsRead && (mode === 'replace' || mode === 'replace_dataset')
  if (!isAboveCount && !isAbovePercent && !isAll) return
  const limit = isAboveCount
    ? `max_rejects is ${maxRejects}`
    : isAbovePercent
      ? `max_reject_percent is ${maxRejectPercent}`
      : 'none would be left'
  const shown = told.slice(0, 5).map(rejectInWords)
  const error = new LoadRefused(
    'too_many_rejects',
    `${count.toLocaleString('en')} of ${rowsRead.toLocaleString('en')} row${rowsRead === 1 ? '' : 's'} of "${fileName}" ${count === 1 ? 'does' : 'do'} not fit, and ${limit}`,
    {
      detail: [
        ...shown,
        ...(count > shown.length ? [`… and ${(count - shown.length).toLocaleString('en')} more`] : []),
        ...emptyFormulasInWords(formulas),
      ].join('\n'),
      hint: `Look at dba.reject_group. Correct the rows in dba.reject (fixed, state = 'retry') and then update dba.file set state = 'retry'; or raise max_rejects in dba.importconfig.`,
    },
  )
  error.rejects = { count, told }
  throw error
}

/** What a load says when not all that it left out is kept one by one. */
export function untoldInWords({ count, told }: Rejects): string[] {
  if (told.length >= count) return []
  return [
    `${count.toLocaleString('en')} rows do not fit; dba.reject has ${told.length.toLocaleString('en')} of them, the others stand in the file alone.`,
  ]
}

export function rejectInWords({ sheet, line, value, message }: RowReject): string {
  const where = `${sheet === null ? 'Line' : `Sheet "${sheet}", line`} ${line}`
  return `${where}: ${message}${value === null ? '' : ` (it has "${value.slice(0, 100)}")`}`
}

function placeOf({ sheet, line }: { sheet: string | null; line: number }): string {
  return `${line} ${sheet ?? ''}`
}

function lengthOf({ raw, value, message }: RowReject): number {
  return Object.entries(raw).reduce(
    (sum, [header, text]) => sum + header.length + (text?.length ?? 0),
    (value?.length ?? 0) + message.length,
  )
}

import { escapeIdentifier } from 'pg'
import type { RowReject } from '../copy-plan.ts'
import { RefusedValue } from '../values/refused-value.ts'
import { createConversion } from '../values.ts'
import { type LoadHost, nothingLoaded, type TablesLoad, type TablesLoaded } from './load.ts'
import { baseTypeOf, type LoadedColumn, type Meeting, type NewColumn, splitName } from './meet.ts'
import type { Proposal } from './proposal.ts'
import { waitingReason } from './proposals.ts'
import { rejectInWords } from './rejects.ts'
import { quoted, type TargetTable } from './target.ts'

/** Columns of the target are too narrow for values of the file; the load begins again with wider ones. */
export class TooNarrow extends Error {
  override name = 'TooNarrow'
  readonly wider: WiderColumn[]

  constructor(wider: WiderColumn[]) {
    super('Columns are too narrow')
    this.wider = wider
  }
}

export interface WiderColumn extends NewColumn {
  /** The first row that asks for it, in words. */
  because: string
}

/**
 * Which columns have to become wider for rows that were left out: the least wide type that takes them all. Only columns of a table that is ours,
 * or where people decide; all else stays a refusal.
 */
export function widerColumns(
  load: TablesLoad,
  { refusedWidths }: Pick<LoadHost, 'refusedWidths'>,
  target: TargetTable | null,
  meeting: Meeting,
  rejects: RowReject[],
): WiderColumn[] {
  // Whoever approves a proposal changes the table with his own rights.
  if (target === null || (load.policy.onNewColumn !== 'propose' && !target.isOurs)) return []
  // A domain stays what somebody made it.
  const existing = new Set(target.all.filter(({ domain }) => domain === null).map(({ name }) => name))
  const narrow = rejects.filter(({ rule }) => TOO_NARROW.has(rule))
  return meeting.columns
    .filter(({ column }) => existing.has(column) && !refusedWidths.includes(column))
    .flatMap((column) => {
      const values = narrow.filter((reject) => reject.column === column.column)
      const [first] = values
      const type = first === undefined ? undefined : widerType(column, values)
      return first === undefined || type === undefined ? [] : [{ name: column.column, type, because: rejectInWords(first) }]
    })
}

/** A load whose policy leaves it to people which columns become wider. */
export function waitingForWider(load: TablesLoad, wider: WiderColumn[]): TablesLoaded {
  const proposals = wider.map(
    ({ name, type, because }): Proposal => ({
      kind: 'widen_column',
      columnName: name,
      sourceName: null,
      ddl: `alter table ${quoted(splitName(load.target))} alter column ${escapeIdentifier(name)} type ${type};`,
      reason: `File "${load.fileName}" has values that do not fit. ${because}.`,
      readings: [],
    }),
  )
  return { ...nothingLoaded('waiting', waitingReason(proposals)), proposals }
}

/** The target with the types that its columns will have. */
export function withWider(target: TargetTable | null, wider: NewColumn[]): TargetTable | null {
  if (target === null || wider.length === 0) return target
  const types = new Map(wider.map(({ name, type }) => [name, type]))
  return {
    ...target,
    all: target.all.map((column) => {
      const type = types.get(column.name)
      return type === undefined ? column : { ...column, type, baseType: baseTypeOf(type) }
    }),
  }
}

const TOO_NARROW = new Set(['too_long', 'out_of_range', 'too_many_digits'])

const WIDER: Record<string, string[]> = {
  smallint: ['integer', 'bigint', 'numeric'],
  integer: ['bigint', 'numeric'],
  bigint: ['numeric'],
  numeric: ['numeric'],
  'character varying': ['text'],
  bpchar: ['text'],
}

function widerType({ rule, type, baseType }: LoadedColumn, values: Pick<RowReject, 'value' | 'isTyped'>[]): string | undefined {
  if (rule === null || rule.type !== type) return undefined
  return (WIDER[baseType] ?? []).find((wider) => {
    const convert = createConversion({ ...rule, type: wider })
    return values.every(({ value, isTyped }) => !(convert(value, isTyped) instanceof RefusedValue))
  })
}

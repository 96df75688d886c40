import type { RowReject } from '../copy-plan.ts'
import { RefusedValue } from '../values/refused-value.ts'
import { createConversion } from '../values.ts'
import type { TablesLoad } from './load.ts'
import { baseTypeOf, type LoadedColumn, type Meeting, type NewColumn } from './meet.ts'
import type { TargetTable } from './target.ts'

/** Columns of the target are too narrow for values of the file; the load begins again with wider ones. */
export class TooNarrow extends Error {
  override name = 'TooNarrow'
  readonly wider: NewColumn[]

  constructor(wider: NewColumn[]) {
    super('Columns are too narrow')
    this.wider = wider
  }
}

/**
 * Which columns have to become wider for rows that were left out: the least wide type that takes them all. Only columns of a table that is ours,
 * and where the policy lets columns be added; all else stays a refusal.
 */
export function widerColumns(load: TablesLoad, target: TargetTable | null, meeting: Meeting, rejects: RowReject[]): NewColumn[] {
  const { onNewColumn } = load.policy
  if (target === null || !target.isOurs || (onNewColumn !== 'add' && onNewColumn !== 'extra')) return []
  // A domain stays what somebody made it.
  const existing = new Set(target.all.filter(({ domain }) => domain === null).map(({ name }) => name))
  const narrow = rejects.filter(({ rule }) => TOO_NARROW.has(rule))
  return meeting.columns
    .filter(({ column }) => existing.has(column))
    .flatMap((column) => {
      const values = narrow.filter((reject) => reject.column === column.column).map((reject) => reject)
      const type = values.length === 0 ? undefined : widerType(column, values)
      return type === undefined ? [] : [{ name: column.column, type }]
    })
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

/** A type of Postgres as far as conversions tell them apart. */
export interface ColumnType {
  kind: TypeKind
  /** As it was written. */
  name: string
  /** Characters of a text, digits of a number, decimals of the seconds; null: the type's own limit. */
  size: number | null
  /** Decimals of a numeric; may be negative, as in Postgres. */
  scale: number | null
}

export type TypeKind =
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'real'
  | 'double precision'
  | 'boolean'
  | 'text'
  | 'character varying'
  | 'character'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'time'
  | 'interval'
  | 'uuid'
  | 'json'
  | 'bytea'
  | 'other'

/**
 * Reads a type as format_type writes it, or by one of its common other names. What is not known here, arrays and domains included, is
 * `other`.
 */
export function readColumnType(name: string): ColumnType {
  const written = name.trim().toLowerCase().replace(/\s+/g, ' ')
  const [, base = '', size, scale, zone] =
    /^([a-z0-9 ]+?) ?(?:\( ?(\d+) ?(?:, ?(-?\d+) ?)?\))?( with(?:out)? time zone)?$/.exec(written) ?? []
  const kind = KINDS.get(base + (zone ?? '')) ?? 'other'
  const sizes = { size: size === undefined ? null : Number(size), scale: scale === undefined ? null : Number(scale) }
  if (kind === 'character' && sizes.size === null && base !== 'bpchar') sizes.size = 1
  if (kind === 'numeric' && sizes.size !== null) sizes.scale ??= 0
  return { kind, name, ...sizes }
}

const KINDS = new Map<string, TypeKind>([
  ['smallint', 'smallint'],
  ['int2', 'smallint'],
  ['integer', 'integer'],
  ['int', 'integer'],
  ['int4', 'integer'],
  ['bigint', 'bigint'],
  ['int8', 'bigint'],
  ['numeric', 'numeric'],
  ['decimal', 'numeric'],
  ['real', 'real'],
  ['float4', 'real'],
  ['double precision', 'double precision'],
  ['float8', 'double precision'],
  ['boolean', 'boolean'],
  ['bool', 'boolean'],
  ['text', 'text'],
  ['character varying', 'character varying'],
  ['varchar', 'character varying'],
  ['character', 'character'],
  ['char', 'character'],
  ['bpchar', 'character'],
  ['date', 'date'],
  ['timestamp', 'timestamp'],
  ['timestamp without time zone', 'timestamp'],
  ['timestamptz', 'timestamptz'],
  ['timestamp with time zone', 'timestamptz'],
  ['time', 'time'],
  ['time without time zone', 'time'],
  ['interval', 'interval'],
  ['uuid', 'uuid'],
  ['json', 'json'],
  ['jsonb', 'json'],
  ['bytea', 'bytea'],
])

/** What the values of a column are, as far as documents tell them apart. `text` is everything that has no kind of its own. */
export type ValueKind =
  | 'boolean'
  | 'integer'
  | 'numeric'
  | 'float'
  | 'money'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'time'
  | 'interval'
  | 'json'
  | 'text'

export function valueKind(typeOid: number): ValueKind {
  return KINDS.get(typeOid) ?? 'text'
}

/** Numbers by type, which stand at the right and can be drawn. */
export function isNumber(kind: ValueKind): kind is 'integer' | 'numeric' | 'float' {
  return kind === 'integer' || kind === 'numeric' || kind === 'float'
}

/** Whether the digits of a column had better stand below each other. */
export function standsRight(kind: ValueKind): boolean {
  return isNumber(kind) || kind === 'money' || kind === 'interval'
}

/** Oids of built-in types never change: src/include/catalog/pg_type.dat of Postgres. */
const KINDS: ReadonlyMap<number, ValueKind> = new Map([
  [16, 'boolean'],
  [20, 'integer'],
  [21, 'integer'],
  [23, 'integer'],
  [26, 'integer'],
  [700, 'float'],
  [701, 'float'],
  [1700, 'numeric'],
  [790, 'money'],
  [1082, 'date'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1083, 'time'],
  [1186, 'interval'],
  [114, 'json'],
  [3802, 'json'],
])

import { PermanentError } from '../errors.ts'
import { nameList } from './refusals.ts'
import { likelyRenames, type Rename, renamesInWords } from './renames.ts'

export interface DriftPolicy {
  /** A column of the file that the target lacks. `extra`: kept in the target's jsonb column `extra`; `propose`: people decide first. */
  onNewColumn: 'add' | 'ignore' | 'fail' | 'extra' | 'propose'
  /** A column of the target that the file lacks. */
  onMissingColumn: 'null' | 'fail'
}

/** The columns of a target, as far as files are concerned. */
export interface TargetColumns {
  /** Every column that may be written. */
  writable: string[]
  /** Those of them that only files fill: no identity, no default, none that Rota fills. */
  fromFiles: string[]
}

export interface Drift {
  /** Which of the file's columns goes to which column, in the file's order. */
  loaded: { index: number; column: string }[]
  /** Columns that the target needs first. */
  added: string[]
  /** Columns of the file that are kept in `extra`. */
  extra: string[]
  /** Columns that people have to decide about before anything is loaded. */
  proposed: string[]
  /** Columns of the file that are not loaded. */
  ignored: string[]
  /** Columns of the target that stay null. */
  missing: string[]
  /** New columns and missing ones that are probably the same. */
  renames: Rename[]
}

/**
 * What becomes of each column when a file's columns meet the target's. Names are compared exactly, and where that finds nothing without regard
 * to case. Whatever the policy, a file in which fewer than half of the target's columns are found is refused: it is another file, or the header
 * is elsewhere.
 *
 * @param fileColumns column names of the file, unique, none of them reserved
 * @param target null when it does not exist yet
 * @param refused columns that a person has refused to have: with `propose` they are left out
 * @throws PermanentError `target_not_found`, `header_not_recognised`, `new_column`, `missing_column`, `no_column_to_load`
 */
export function decideDrift(
  fileColumns: string[],
  target: TargetColumns | null,
  policy: DriftPolicy,
  names: { file: string; target: string },
  refused: string[] = [],
): Drift {
  if (target === null) return driftOfNew(fileColumns, policy, names)
  const matched = matchColumns(fileColumns, target.writable)
  const found = new Set(matched)
  const missing = target.fromFiles.filter((column) => !found.has(column))
  const unknown = fileColumns.filter((_, index) => matched[index] === undefined)
  const renames = likelyRenames(unknown, missing, fileColumns, target.fromFiles)
  if ((target.fromFiles.length - missing.length) * 2 < target.fromFiles.length)
    throw headerNotRecognised(fileColumns, target, names, renames)
  if (unknown.length > 0 && policy.onNewColumn === 'fail') throw newColumn(unknown, names, renames)
  if (missing.length > 0 && policy.onMissingColumn === 'fail') throw missingColumn(missing, names, renames)
  const added = policy.onNewColumn === 'add' ? unknown : []
  const extra = policy.onNewColumn === 'extra' ? unknown : []
  const isRefused = new Set(refused)
  const proposed = policy.onNewColumn === 'propose' ? unknown.filter((column) => !isRefused.has(column)) : []
  const loaded = fileColumns.flatMap((name, index) => {
    const column = matched[index] ?? (added.length > 0 ? name : undefined)
    return column === undefined ? [] : [{ index, column }]
  })
  if (loaded.length === 0 && extra.length + proposed.length === 0) throw noColumnToLoad(fileColumns, names)
  const kept = new Set([...added, ...extra, ...proposed])
  const ignored = unknown.filter((column) => !kept.has(column))
  return { loaded, added, extra, proposed, ignored, missing, renames }
}

function driftOfNew(fileColumns: string[], policy: DriftPolicy, names: { file: string; target: string }): Drift {
  const { onNewColumn } = policy
  if (onNewColumn === 'ignore' || onNewColumn === 'fail') throw targetNotFound(names.target, policy)
  const loaded = fileColumns.map((column, index) => ({ index, column }))
  const isProposed = onNewColumn === 'propose'
  const [added, proposed] = isProposed ? [[], fileColumns] : [fileColumns, []]
  return { loaded, added, extra: [], proposed, ignored: [], missing: [], renames: [] }
}

/** Each column of the target is given once: to the name that is exactly its own, else to the first that differs in case only. */
function matchColumns(names: string[], columns: string[]): (string | undefined)[] {
  const free = new Set(columns)
  const exact = names.map((name) => (free.delete(name) ? name : undefined))
  const byLowerCase = new Map([...free].map((column) => [column.toLowerCase(), column]))
  return names.map((name, index) => {
    if (exact[index] !== undefined) return exact[index]
    const column = byLowerCase.get(name.toLowerCase())
    byLowerCase.delete(name.toLowerCase())
    return column
  })
}

function targetNotFound(target: string, { onNewColumn }: DriftPolicy): PermanentError {
  return new PermanentError('target_not_found', `Table "${target}" does not exist`, {
    detail: `With on_new_column = '${onNewColumn}' Rota makes no table.`,
    hint: `Create it, correct target_table, or set on_new_column to 'add' in dba.importconfig.`,
  })
}

function headerNotRecognised(
  fileColumns: string[],
  target: TargetColumns,
  names: { file: string; target: string },
  renames: Rename[],
): PermanentError {
  return new PermanentError('header_not_recognised', `File "${names.file}" has fewer than half of the columns of "${names.target}"`, {
    detail: `The file has ${nameList(fileColumns)}. The target has ${nameList(target.fromFiles)}. ${renamesInWords(renames)}`.trim(),
    hint: 'See whether it is the right file; set header_row (and sheet) in dba.importconfig when the column names stand elsewhere.',
  })
}

function newColumn(unknown: string[], names: { file: string; target: string }, renames: Rename[]): PermanentError {
  return new PermanentError('new_column', `File "${names.file}" has columns that "${names.target}" lacks: ${nameList(unknown)}`, {
    ...(renames.length > 0 ? { detail: renamesInWords(renames) } : {}),
    hint: `Add them to the table, or set on_new_column to 'add' or 'ignore' in dba.importconfig; then update dba.file set state = 'retry'.`,
  })
}

function missingColumn(missing: string[], names: { file: string; target: string }, renames: Rename[]): PermanentError {
  return new PermanentError('missing_column', `File "${names.file}" lacks columns of "${names.target}": ${nameList(missing)}`, {
    ...(renames.length > 0 ? { detail: renamesInWords(renames) } : {}),
    hint: `Ask the sender for them, or set on_missing_column to 'null' in dba.importconfig; then update dba.file set state = 'retry'.`,
  })
}

function noColumnToLoad(fileColumns: string[], names: { file: string; target: string }): PermanentError {
  return new PermanentError('no_column_to_load', `File "${names.file}" has no column that "${names.target}" takes`, {
    detail: `The file has ${nameList(fileColumns)}.`,
    hint: `Add columns to the table, or set on_new_column to 'add' in dba.importconfig.`,
  })
}

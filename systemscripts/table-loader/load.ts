/** What a load is told and what it answers. */
import type { ClientBase } from 'pg'
import type { NameRule } from '../column-names.ts'
import type { CopyPlan } from '../copy-plan.ts'
import { emptyFormulasInWords } from '../empty-formulas.ts'
import type { Table, TableFacts } from '../table.ts'
import type { Check } from './checks.ts'
import type { ColumnSetting } from './column-settings.ts'
import type { Drift, DriftPolicy } from './drift.ts'
import type { Rejects } from './load-refused.ts'
import type { Proposal } from './proposal.ts'
import type { TableName } from './target.ts'

export type LoadMode = 'append' | 'replace' | 'replace_dataset' | 'upsert' | 'append_new'

export type Correction = CopyPlan['corrections'][number]

/** One file and where its rows go. */
export interface TablesLoad {
  /** Opens the file anew and gives its tables, one after the other; called once more for each lane that is tried. */
  open(): AsyncIterable<Table>
  fileName: string
  /** As `schema.table`. */
  target: string
  nameRule: NameRule
  /** What is known of columns beforehand. */
  columns: ColumnSetting[]
  policy: DriftPolicy
  mode: LoadMode
  /** Columns of the target that name a row; for upsert, and for append_new where it has any. */
  keyColumns: string[]
  onDuplicateKey: 'fail' | 'last' | 'first'
  checks: Check[]
  /** Above either the file fails as a whole. Null: no limit. */
  maxRejects: number | null
  maxRejectPercent: number | null
  /** The target's column for the number that every row carries. */
  datasetColumn: string
  /** What goes into `metadata_label` and `event_date` where the target has them. */
  label: string
  date: string
  /** Zone of times that name none. */
  sourceZone: string
  /** A file is empty when a value in the first column of a table matches; null: only when it has no rows. */
  emptyWhen: RegExp | null
  /** Role that owns targets. */
  ownerRole: string
  /** The login for expressions that people wrote, and the address of the database for it. */
  expressionRole: string
  expressionUrl: () => Promise<string>
  signal?: AbortSignal
  /** Told how many rows have been read, now and then. */
  onRows?: (rowsRead: number) => void
}

/** @returns how many rows left, as the books have it */
export type EndFormer = () => Promise<number>

/** The transactions of a load, and what stands in the books about its file. */
export interface LoadHost {
  /** Number that the rows carry. */
  datasetId: number
  /** Where rows are laid down first, when they are; nobody else uses that name. */
  staging: TableName
  /** Rows of the file that a person corrected. */
  corrections: Correction[]
  /** Lines whose refusal a person has accepted; they count against no limit. */
  dismissed: { sheet: string | null; line: number }[]
  /** Only these rows, in place of the file's; null: all that the file has. */
  only: FixedRow[] | null
  /** Columns that a person refused to have. */
  refusedColumns: string[]
  /** Columns that a person refused to make wider. */
  refusedWidths: string[]
  /** A person refused to have the target made. */
  isTableRefused: boolean
  /** Nothing may stay: `commit` rolls back, and samples are wanted. */
  isDryRun: boolean
  /** A transaction of its own, for the staging table. */
  prepare<T>(work: (client: ClientBase) => Promise<T>): Promise<T>
  /**
   * The one transaction in which rows, dataset and file commit. `endFormer` takes out the rows of the datasets that this one takes the place of.
   */
  commit(work: (client: ClientBase, endFormer: EndFormer) => Promise<TablesLoaded>): Promise<TablesLoaded>
  /** Row counts of the last good datasets of the same settings, at most ten. */
  formerCounts(client: ClientBase): Promise<number[]>
}

/** A row as a person corrected it, by header. */
export interface FixedRow {
  sheet: string | null
  line: number
  values: Record<string, string | null>
}

/** One table of a file as it met the target. */
export interface TableMet {
  kind: string
  sheet: string | null
  headerLine: number
  drift: Drift
}

/** What a load found out about one table while its rows were walked. */
export type FormulasMet = Pick<TableFacts, 'sheet' | 'emptyFormulas'>

export interface Sample {
  kind: 'insert' | 'update' | 'skip'
  sheet: string | null
  line: number
  data: Record<string, unknown>
  /** The row as it is, of an update. */
  former: Record<string, unknown> | null
}

export interface TablesLoaded {
  /** `waiting`: nothing was loaded, people decide on `proposals` first. */
  state: 'active' | 'empty' | 'quarantined' | 'waiting'
  /** In words; null for a load without remarks. */
  reason: string | null
  rowsRead: number
  rowsInserted: number
  rowsUpdated: number
  /** Rows that were there already. */
  rowsSkipped: number
  /** Rows of former datasets that left. */
  rowsTakenOut: number
  rejects: Rejects
  datasetColumn: string | null
  /** Where quarantined rows are kept. */
  quarantineTable: string | null
  isTargetNew: boolean
  /** What the target got, or would get. */
  additions: { name: string; type: string }[]
  /** Columns of the target that got a wider type, or would get one. */
  widened: { name: string; type: string }[]
  /** Of a dry run, the statements by which the target would change; null: it stays as it is. */
  ddl: string | null
  tables: TableMet[]
  warnings: string[]
  proposals: Proposal[]
  samples: Sample[]
}

/** Columns by which rows of the target are known; none where every row is a new one. */
export function namingColumns({ mode, keyColumns }: TablesLoad): string[] {
  return mode === 'upsert' || mode === 'append_new' ? keyColumns : []
}

/** A file in which no table has a row: perhaps since all its cells are formulas without a value. */
export function emptyLoad(because: string, formulas: FormulasMet[]): TablesLoaded {
  const warnings = emptyFormulasInWords(formulas)
  return { ...nothingLoaded('empty', [because, ...warnings].join(' ')), warnings }
}

/** A load that changed nothing. */
export function nothingLoaded(state: 'empty' | 'waiting', reason: string): TablesLoaded {
  return {
    state,
    reason,
    rowsRead: 0,
    rowsInserted: 0,
    rowsUpdated: 0,
    rowsSkipped: 0,
    rowsTakenOut: 0,
    rejects: { count: 0, told: [] },
    datasetColumn: null,
    quarantineTable: null,
    isTargetNew: false,
    additions: [],
    widened: [],
    ddl: null,
    tables: [],
    warnings: [],
    proposals: [],
    samples: [],
  }
}

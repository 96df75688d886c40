/** How a load goes on when its first way does not lead to the end. */
import type { Table } from '../table.ts'
import type { LoadMode, TablesLoad } from './load.ts'
import type { NewColumn } from './meet.ts'

export interface Course {
  lane: 'direct' | 'staged'
  /** Holds back other loads of the target, since it is changed, or looked into. */
  isAlone: boolean
  wider: NewColumn[]
  /** The tables are taken with all columns in which anything stands, those without a name too. */
  hasAllColumns: boolean
  /** False where columns stay as they are, and when one could not be made wider. */
  mayWiden: boolean
}

/** The target has to be changed, and others are loading into it: the load begins again when they are done. */
export class NeedsTurn extends Error {
  override name = 'NeedsTurn'
}

/** What has been done in the target has to be undone in part, which only the staged lane can. */
export class NeedsStaging extends Error {
  override name = 'NeedsStaging'
}

/** Values stand beyond the columns of a sheet that its first rows show: the load begins again with all its columns, for the policy to decide on. */
export class NeedsAllColumns extends Error {
  override name = 'NeedsAllColumns'
}

/** Of a CSV a row with more fields than names is taken for a broken one, and refused by itself. */
export function mayLackColumns({ hasAllColumns }: Course, { kind }: Pick<Table, 'kind'>): boolean {
  return !hasAllColumns && kind !== 'csv'
}

const LOOKING_MODES: LoadMode[] = ['replace', 'upsert', 'append_new']

/** @param mayWiden whether columns of the target that are too narrow become wider, or are proposed to */
export function firstCourse({ mode, checks }: TablesLoad, isDryRun: boolean, mayWiden: boolean): Course {
  const isStaged = isDryRun || mode === 'upsert' || mode === 'append_new' || checks.some(({ kind }) => kind === 'expression')
  return { lane: isStaged ? 'staged' : 'direct', isAlone: LOOKING_MODES.includes(mode), wider: [], hasAllColumns: false, mayWiden }
}

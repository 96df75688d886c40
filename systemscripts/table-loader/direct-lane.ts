import { type ClientBase, escapeIdentifier } from 'pg'
import type { RowReject } from '../copy-plan.ts'
import { emptyFormulasInWords } from '../empty-formulas.ts'
import type { Table } from '../table.ts'
import { findBreaches, verdictOf } from './checks.ts'
import { type Course, mayLackColumns, NeedsAllColumns, NeedsStaging, NeedsTurn } from './course.ts'
import { isEmptyFile, refuseEmptyMark } from './empty-file.ts'
import {
  type EndFormer,
  emptyLoad,
  type FormulasMet,
  type LoadHost,
  nothingLoaded,
  type TableMet,
  type TablesLoad,
  type TablesLoaded,
} from './load.ts'
import { type Meeting, meet, metOf, type NewColumn, splitName, withAdditions } from './meet.ts'
import { copyPlan, planForTarget } from './plan.ts'
import type { Proposal } from './proposal.ts'
import { proposalsOf, waitingReason } from './proposals.ts'
import { moveToQuarantine } from './quarantine.ts'
import { createRejectBook, type RejectBook, requireFewRejects, untoldInWords } from './rejects.ts'
import { giveBackNumbers, startNumbers } from './row-numbers.ts'
import { sendCopy } from './send-copy.ts'
import { finishTarget, needsShaping, type Shaping, shapeTarget } from './shape-target.ts'
import { takeOutFormer } from './take-out-former.ts'
import { queryOf, quoted, readTarget, type TargetTable } from './target.ts'
import { takeTurn, waitLonger } from './target-lock.ts'
import { requireRights } from './target-rights.ts'
import { TooNarrow, widerColumns, withWider } from './widen.ts'

/**
 * One transaction: the rows go straight into the target, are looked at there, and only then the former ones leave. Where the target knows keys
 * of its own, the former ones leave first, or the new ones would clash with them.
 *
 * @throws RowsRefused, NeedsAllColumns, NeedsStaging, NeedsTurn, TooNarrow, CannotWiden, after which the load begins again otherwise; LoadRefused; those of meet
 */
export async function loadDirectly(host: LoadHost, load: TablesLoad, course: Course): Promise<TablesLoaded> {
  return await host.commit(async (client, endFormer) => {
    await client.query('savepoint before_load')
    const state = await begin(client, host, load, course)
    try {
      for await (const opened of load.open()) {
        const table = course.hasAllColumns ? await opened.withAllColumns() : opened
        try {
          await copyTable(client, state, table, endFormer)
          state.formulas.push({ sheet: table.sheet, emptyFormulas: table.emptyFormulas ?? [] })
        } finally {
          await table.close()
        }
      }
    } catch (error) {
      if (!isEmptyFile(error)) throw error
      await client.query('rollback to savepoint before_load')
      return nothingLoaded('empty', error.message)
    }
    if (state.proposals.length > 0 || state.rowsRead === 0) {
      await client.query('rollback to savepoint before_load')
      if (state.proposals.length === 0) return emptyLoad('The file has column names and no rows.', state.formulas)
      return { ...nothingLoaded('waiting', waitingReason(state.proposals)), proposals: state.proposals, tables: state.tables }
    }
    return await finish(client, state, endFormer)
  })
}

interface DirectLoad {
  host: LoadHost
  load: TablesLoad
  course: Course
  /** As it was before this load. */
  former: TargetTable | null
  /** As it is now. */
  target: TargetTable | null
  /** The former datasets' rows leave before the new ones come. */
  leavesFirst: boolean
  /** What has been done to the target. */
  shaping: Shaping
  isWidened: boolean
  rejects: RejectBook
  additions: NewColumn[]
  tables: TableMet[]
  formulas: FormulasMet[]
  proposals: Proposal[]
  rowsRead: number
  rowsWritten: number
  /** Rows that a trigger of the target left out. */
  rowsDropped: number
  rowsTakenOut: number
}

async function begin(client: ClientBase, host: LoadHost, load: TablesLoad, course: Course): Promise<DirectLoad> {
  await client.query('set constraints all immediate')
  await takeTurn(client, load.target, course.isAlone)
  await startNumbers(client)
  const name = splitName(load.target)
  const former = await readTarget(queryOf(client), name, load.datasetColumn, load.ownerRole)
  // Known before the file is opened, which for a large one takes a while.
  if (!course.isAlone && needsShaping(former, [], course.wider)) throw new NeedsTurn()
  const isReplacing = load.mode === 'replace' || load.mode === 'replace_dataset'
  return {
    host,
    load,
    course,
    former,
    target: withWider(former, course.wider),
    leavesFirst: isReplacing && former !== null && hasKeyOfItsOwn(former),
    shaping: { name, target: former, added: [], widened: [], datasetColumn: load.datasetColumn, keyColumns: [], ownerRole: load.ownerRole },
    isWidened: false,
    rejects: createRejectBook(host.dismissed),
    additions: [],
    tables: [],
    formulas: [],
    proposals: [],
    rowsRead: 0,
    rowsWritten: 0,
    rowsDropped: 0,
    rowsTakenOut: 0,
  }
}

/** Other than the number that each row gets anew. */
function hasKeyOfItsOwn({ uniqueKeys, all }: TargetTable): boolean {
  const numbers = all.filter(({ isIdentity, isGenerated }) => isIdentity || isGenerated).map(({ name }) => name)
  return uniqueKeys.some((key) => !key.some((column) => numbers.includes(column)))
}

async function copyTable(client: ClientBase, state: DirectLoad, table: Table, endFormer: EndFormer): Promise<void> {
  const { host, load } = state
  refuseEmptyMark(load.emptyWhen, table)
  const meeting = meet(load, table, state.target, host)
  state.tables.push(metOf(meeting))
  if (meeting.proposed.length > 0) state.proposals.push(...(await proposalsOf(load, state.target, table, meeting, state.course)))
  if (state.proposals.length > 0 || table.sample.length === 0) return
  const target = await shapeFor(client, state, meeting)
  if (state.leavesFirst && state.rowsRead === 0) state.rowsTakenOut = await takeOutFormer(client, host, load, target, endFormer)
  await copyRows(client, state, table, target, meeting)
}

/** @throws NeedsTurn, CannotWiden; those of requireRights and shapeTarget */
async function shapeFor(client: ClientBase, state: DirectLoad, meeting: Meeting): Promise<TargetTable> {
  const { load, course, target, former } = state
  const widened = state.isWidened ? [] : course.wider
  const isShaping = needsShaping(target, meeting.additions, widened)
  if (former !== null) requireRights(former, load.ownerRole, { ...meeting, widened, datasetColumn: load.datasetColumn })
  const shaped = withAdditions(load, target, meeting)
  if (!isShaping) return shaped
  if (!course.isAlone) throw new NeedsTurn()
  await shapeTarget(client, { ...state.shaping, target, added: meeting.additions, widened })
  state.isWidened = true
  state.additions.push(...meeting.additions)
  state.target = shaped
  return shaped
}

async function copyRows(client: ClientBase, state: DirectLoad, table: Table, target: TargetTable, meeting: Meeting): Promise<void> {
  const { host, load } = state
  const plan = planForTarget(load, host, target, meeting)
  const told: RowReject[] = []
  let [read, written] = [0, 0]
  const copy = await table.copy(copyPlan(load, host, plan, state.rejects.room()))
  const kept = await sendCopy(
    client,
    { name: target.name, columns: plan.names, isNew: state.former === null },
    copy,
    (piece) => {
      if (piece.rowsTooWide > 0 && mayLackColumns(state.course, table)) throw new NeedsAllColumns()
      read += piece.rowsRead
      written += piece.rowsWritten
      told.push(...piece.rejects)
      load.onRows?.(state.rowsRead + read)
    },
    load.signal,
  )
  const wider = state.course.mayWiden ? widerColumns(load, host, state.former, meeting, told) : []
  if (wider.length > 0) throw new TooNarrow(wider)
  state.rejects.add(told, read - written)
  state.rowsRead += read
  state.rowsWritten += kept
  state.rowsDropped += written - kept
}

async function finish(client: ClientBase, state: DirectLoad, endFormer: EndFormer): Promise<TablesLoaded> {
  const { host, load, target, former } = state
  if (target === null) throw new Error('rows were written into no table')
  const rejects = state.rejects.sum()
  requireFewRejects(rejects, state.rowsRead, load, state.formulas)
  const datasetColumn = target.datasetColumn ?? load.datasetColumn
  const breaches =
    load.checks.length === 0
      ? []
      : await findBreaches(client, load.checks, {
          query: `select * from ${quoted(target.name)} where ${escapeIdentifier(datasetColumn)} = ${host.datasetId}`,
          columns: target.all.map(({ name }) => name),
          keyColumns: load.keyColumns,
          formerCounts: await host.formerCounts(client),
        })
  const verdict = verdictOf(breaches, load.fileName, rejects)
  const { isQuarantined } = verdict
  const reasons = [
    ...verdict.reasons,
    ...droppedInWords(state.rowsDropped, load.target),
    ...untoldInWords(rejects),
    ...emptyFormulasInWords(state.formulas),
  ]
  if (isQuarantined && state.leavesFirst) throw new NeedsStaging()
  await waitLonger(client)
  if (former === null || former.datasetColumn === null) await finishTarget(client, state.shaping)
  if (state.rowsWritten > 0) await giveBackNumbers(client, target.name, load.ownerRole)
  const quarantineTable = isQuarantined ? await moveToQuarantine(client, host, load, target) : null
  if (!isQuarantined && !state.leavesFirst) state.rowsTakenOut = await takeOutFormer(client, host, load, target, endFormer)
  return {
    ...nothingLoaded('empty', ''),
    state: isQuarantined ? 'quarantined' : 'active',
    reason: reasons.length > 0 ? reasons.join(' ') : null,
    rowsRead: state.rowsRead,
    rowsInserted: state.rowsWritten,
    rowsSkipped: state.rowsDropped,
    rowsTakenOut: isQuarantined ? 0 : state.rowsTakenOut,
    rejects,
    datasetColumn,
    quarantineTable,
    isTargetNew: former === null,
    additions: state.additions,
    widened: state.course.wider,
    tables: state.tables,
    warnings: isQuarantined ? [] : reasons,
  }
}

function droppedInWords(rows: number, target: string): string[] {
  return rows === 0 ? [] : [`${rows} row${rows === 1 ? ' was' : 's were'} left out by a trigger of "${target}".`]
}

import { type ClientBase, escapeIdentifier } from 'pg'
import type { RowReject } from '../copy-plan.ts'
import type { Table } from '../table.ts'
import { type Course, mayLackColumns, NeedsAllColumns } from './course.ts'
import { isEmptyFile, refuseEmptyMark } from './empty-file.ts'
import { settleKeys } from './keys.ts'
import type { LoadHost, TablesLoad } from './load.ts'
import { type Meeting, meet, splitName, withAdditions } from './meet.ts'
import { copyPlan, fileNames, planForStaging } from './plan.ts'
import { proposalsOf } from './proposals.ts'
import { createRejectBook } from './rejects.ts'
import { sendCopy } from './send-copy.ts'
import { dropStaging, type Staged } from './staging.ts'
import { queryOf, quoted, readTarget, STAGED_LINE, STAGED_TABLE, type TargetTable } from './target.ts'
import { requireRights } from './target-rights.ts'
import { TooNarrow, widerColumns, withWider } from './widen.ts'

/**
 * Lays down all tables of a file within the caller's transaction, and settles what the rows are by their keys.
 * @throws TooNarrow, NeedsAllColumns; those of meet, settleKeys and the file's reader
 */
export async function stageFile(client: ClientBase, host: LoadHost, load: TablesLoad, course: Course): Promise<Staged> {
  const name = splitName(load.target)
  const former = await readTarget(queryOf(client), name, load.datasetColumn, load.ownerRole)
  const state: Staging = {
    former,
    target: withWider(former, course.wider),
    additions: [],
    meetings: [],
    columns: new Map(),
    rejects: createRejectBook(host.dismissed),
    rowsRead: 0,
    rowsRefused: 0,
    rowsDoubled: 0,
    formulas: [],
    proposals: [],
    emptyBecause: null,
  }
  await dropStaging(client, host)
  await client.query(`create unlogged table ${quoted(host.staging)} (${STAGED_TABLE} integer not null, ${STAGED_LINE} bigint not null)`)
  await client.query('savepoint before_rows')
  try {
    for await (const opened of load.open()) {
      const table = course.hasAllColumns ? await opened.withAllColumns() : opened
      try {
        await stageTable(client, host, load, course, state, table)
        state.formulas.push({ sheet: table.sheet, emptyFormulas: table.emptyFormulas ?? [] })
      } finally {
        await table.close()
      }
    }
  } catch (error) {
    if (!isEmptyFile(error)) throw error
    await client.query('rollback to savepoint before_rows')
    return { ...state, target: withAdditionsOf(load, state), emptyBecause: error.message }
  }
  const target = withAdditionsOf(load, state)
  if (state.proposals.length > 0) return { ...state, target }
  if (state.rowsRead === 0) return { ...state, target, emptyBecause: 'The file has column names and no rows.' }
  const settled = await settleKeys(client, host, load, { ...state, target, emptyBecause: null })
  await client.query(`analyze ${quoted(host.staging)}`)
  if (load.checks.some(({ kind }) => kind === 'expression'))
    await client.query(`grant select on ${quoted(host.staging)} to ${escapeIdentifier(load.expressionRole)}`)
  return settled
}

type Staging = Omit<Staged, 'target'> & { target: TargetTable | null }

function withAdditionsOf(load: TablesLoad, { target, meetings }: Staging): TargetTable {
  const last = meetings.at(-1)
  if (target !== null) return target
  if (last === undefined) throw new Error('the file has no table')
  return withAdditions(load, target, last)
}

async function stageTable(
  client: ClientBase,
  host: LoadHost,
  load: TablesLoad,
  course: Course,
  state: Staging,
  table: Table,
): Promise<void> {
  refuseEmptyMark(load.emptyWhen, table)
  const meeting = meet(load, table, state.target, host)
  state.meetings.push(meeting)
  if (meeting.proposed.length > 0) state.proposals.push(...(await proposalsOf(load, state.target, table, meeting, course)))
  if (state.proposals.length > 0 || table.sample.length === 0) return
  if (state.former !== null)
    requireRights(state.former, load.ownerRole, { ...meeting, widened: course.wider, datasetColumn: load.datasetColumn })
  state.target = withAdditions(load, state.target, meeting)
  state.additions.push(...meeting.additions)
  await addColumns(client, host, state, state.target, meeting)
  const plan = planForStaging(meeting, state.meetings.length - 1)
  const told: RowReject[] = []
  let [read, written] = [0, 0]
  const copy = await table.copy(copyPlan(load, host, plan, state.rejects.room()))
  await sendCopy(
    client,
    { name: host.staging, columns: plan.names, isNew: false },
    copy,
    (piece) => {
      if (piece.rowsTooWide > 0 && mayLackColumns(course, table)) throw new NeedsAllColumns()
      read += piece.rowsRead
      written += piece.rowsWritten
      told.push(...piece.rejects)
      load.onRows?.(state.rowsRead + read)
    },
    load.signal,
  )
  const wider = course.mayWiden ? widerColumns(load, host, state.former, meeting, told) : []
  if (wider.length > 0) throw new TooNarrow(wider)
  state.rejects.add(told, read - written)
  state.rowsRead += read
  state.rowsRefused += read - written
}

async function addColumns(client: ClientBase, host: LoadHost, { columns }: Staging, target: TargetTable, meeting: Meeting): Promise<void> {
  const types = new Map(target.all.map(({ name, type, baseType }) => [name, { type, baseType }]))
  const missing = fileNames(meeting).filter((column) => !columns.has(column))
  for (const column of missing) columns.set(column, types.get(column) ?? { type: 'text', baseType: 'text' })
  if (missing.length === 0) return
  const added = missing.map((column) => `add column ${escapeIdentifier(column)} text`)
  await client.query(`alter table ${quoted(host.staging)} ${added.join(', ')}`)
}

import type { ClientBase } from 'pg'
import type { RowReject } from '../copy-plan.ts'
import { emptyFormulasInWords } from '../empty-formulas.ts'
import { JobError } from '../errors.ts'
import { type Breach, breachInWords, findBreaches, verdictOf } from './checks.ts'
import type { Course } from './course.ts'
import { findBrokenExpressions } from './expressions.ts'
import {
  type EndFormer,
  emptyLoad,
  type LoadHost,
  namingColumns,
  nothingLoaded,
  type Sample,
  type TablesLoad,
  type TablesLoaded,
} from './load.ts'
import { metOf } from './meet.ts'
import { type MovedRows, moveRows, moveToTable } from './move-rows.ts'
import { waitingReason } from './proposals.ts'
import { ensureQuarantine } from './quarantine.ts'
import { rejectsOf } from './refused-rows.ts'
import { requireFewRejects, untoldInWords } from './rejects.ts'
import { giveBackNumbers, startNumbers } from './row-numbers.ts'
import { findSamples } from './samples.ts'
import { finishTarget, needsShaping, type Shaping, shapeTarget, shapingInWords } from './shape-target.ts'
import { stageFile } from './stage-file.ts'
import { dropStaging, removeRows, type Staged, stagedRows } from './staging.ts'
import { takeOutFormer } from './take-out-former.ts'
import { queryOf, readTarget } from './target.ts'
import { takeTurn, waitLonger } from './target-lock.ts'
import { requireRights } from './target-rights.ts'

/**
 * The rows are laid down in an unlogged table and looked at there; then one transaction moves them. Rows that Postgres does not take are found
 * by halving and left out one by one.
 *
 * @throws TooNarrow, CannotWiden, after which the load begins again otherwise; LoadRefused; JobError `target_changed`; those of stageFile
 */
export async function loadStaged(host: LoadHost, load: TablesLoad, course: Course): Promise<TablesLoaded> {
  let isMoved = false
  try {
    const staged = await host.prepare((client) => stageFile(client, host, load, course))
    const { emptyBecause, formulas } = staged
    if (emptyBecause !== null) return await host.commit(async () => emptyLoad(emptyBecause, formulas))
    if (staged.proposals.length > 0) return await host.commit(async () => waitingLoad(staged))
    requireFewRejects(staged.rejects.sum(), staged.rowsRead, load, formulas)
    const broken = await findBrokenExpressions(host, load, staged)
    verdictOf(broken, load.fileName, staged.rejects.sum())
    const loaded = await host.commit((client, endFormer) => moveIn(client, host, load, course, staged, broken, endFormer))
    isMoved = !host.isDryRun
    return loaded
  } finally {
    // What cannot be dropped now is dropped by the next load that finds it.
    if (!isMoved) await host.prepare((client) => dropStaging(client, host)).catch(() => {})
  }
}

function waitingLoad({ proposals, meetings }: Staged): TablesLoaded {
  return { ...nothingLoaded('waiting', waitingReason(proposals)), proposals, tables: meetings.map(metOf) }
}

async function moveIn(
  client: ClientBase,
  host: LoadHost,
  load: TablesLoad,
  course: Course,
  staged: Staged,
  broken: Breach[],
  endFormer: EndFormer,
): Promise<TablesLoaded> {
  const { target, former, rejects } = staged
  const shaping = await shapeFor(client, load, course, staged)
  await client.query('savepoint before_move')
  const rowsTakenOut = await takeOutFormer(client, host, load, target, endFormer)
  const samples = host.isDryRun ? await findSamples(client, host, load, staged) : []
  const moved = await moveRows(client, host, load, staged)
  const refused = await rejectsOf(client, host, load, staged, moved.refused)
  rejects.add(refused, moved.refused.length)
  requireFewRejects(rejects.sum(), staged.rowsRead, load, staged.formulas)
  await removeRows(client, host, moved.refused)
  const breaches = [
    ...broken,
    ...(await findBreaches(client, load.checks, {
      query: stagedRows(host, staged),
      columns: target.all.map(({ name }) => name),
      keyColumns: load.keyColumns,
      formerCounts: load.checks.length === 0 ? [] : await host.formerCounts(client),
    })),
  ]
  const { isQuarantined } = verdictOf(breaches, load.fileName, rejects.sum())
  const quarantineTable = isQuarantined ? await keepAside(client, host, load, staged, moved) : null
  await waitLonger(client)
  if (former === null || former.datasetColumn === null) await finishTarget(client, shaping)
  if (moved.inserted > 0) await giveBackNumbers(client, target.name, load.ownerRole)
  await dropStaging(client, host)
  return {
    ...loadedOf(staged, moved, breaches, quarantineTable, withoutRefused(samples, refused)),
    rowsTakenOut: isQuarantined ? 0 : rowsTakenOut,
    widened: course.wider,
    ddl: host.isDryRun ? shapingInWords(shaping) : null,
  }
}

/** The target may have changed since the rows were laid down: then their columns may be other ones. */
async function shapeFor(client: ClientBase, load: TablesLoad, course: Course, staged: Staged): Promise<Shaping> {
  const { former, target, additions } = staged
  await client.query('set constraints all immediate')
  const isShaping = needsShaping(former, additions, course.wider)
  await takeTurn(client, load.target, course.isAlone || isShaping)
  await startNumbers(client)
  const now = await readTarget(queryOf(client), target.name, load.datasetColumn, load.ownerRole)
  if (JSON.stringify(now) !== JSON.stringify(former)) throw targetChanged(load)
  if (former !== null) requireRights(former, load.ownerRole, { additions, widened: course.wider, datasetColumn: load.datasetColumn })
  const shaping = {
    name: target.name,
    target: former,
    added: additions,
    widened: course.wider,
    datasetColumn: load.datasetColumn,
    keyColumns: namingColumns(load),
    ownerRole: load.ownerRole,
  }
  if (isShaping) await shapeTarget(client, shaping)
  return shaping
}

function withoutRefused(samples: Sample[], refused: RowReject[]): Sample[] {
  return samples.filter((sample) => !refused.some(({ sheet, line }) => sheet === sample.sheet && line === sample.line))
}

/** Instead of into the target. */
async function keepAside(client: ClientBase, host: LoadHost, load: TablesLoad, staged: Staged, { refused }: MovedRows): Promise<string> {
  await client.query('rollback to savepoint before_move')
  await removeRows(client, host, refused)
  const name = await ensureQuarantine(client, load, staged.target)
  await moveToTable(client, host, load, staged, name)
  return `${name.schema}.${name.table}`
}

function loadedOf(
  staged: Staged,
  { inserted, updated, refused }: MovedRows,
  breaches: Breach[],
  quarantineTable: string | null,
  samples: Sample[],
): TablesLoaded {
  const { rowsRead, rowsRefused, target, former, meetings } = staged
  const rejects = staged.rejects.sum()
  const reasons = [...breaches.map(breachInWords), ...untoldInWords(rejects), ...emptyFormulasInWords(staged.formulas)]
  const isQuarantined = quarantineTable !== null
  const kept = rowsRead - rowsRefused - refused.length
  return {
    state: isQuarantined ? 'quarantined' : 'active',
    reason: reasons.length > 0 ? reasons.join(' ') : null,
    rowsRead,
    rowsInserted: isQuarantined ? kept - staged.rowsDoubled : inserted,
    rowsUpdated: isQuarantined ? 0 : updated,
    rowsTakenOut: 0,
    rowsSkipped: isQuarantined ? staged.rowsDoubled : kept - inserted - updated,
    rejects,
    datasetColumn: target.datasetColumn,
    quarantineTable,
    isTargetNew: former === null,
    additions: staged.additions,
    widened: [],
    ddl: null,
    tables: meetings.map(metOf),
    warnings: isQuarantined ? [] : reasons,
    proposals: [],
    samples,
  }
}

function targetChanged({ target }: TablesLoad): JobError {
  return new JobError('target_changed', `Table "${target}" was changed while the load went on`, {
    hint: 'Nothing to do: it is tried again.',
  })
}

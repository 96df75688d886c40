/** What became of the files of one run, from the ledger. */
import type { Pool } from 'pg'
import { PermanentError } from '../../../systemscripts/errors.ts'
import type { DatasetRow, FileRow } from '../../db/row-types.ts'
import type { Outcome } from '../../job/outcome.ts'

type EndedFile = Pick<FileRow, 'file_name' | 'state' | 'reason' | 'size_bytes'> &
  Pick<DatasetRow, 'rows_read' | 'rows_written' | 'rows_rejected'> & { dataset_state: DatasetRow['state'] | null }

/**
 * Counts what the run dealt with, earlier attempts included.
 *
 * @param alone the error of a run that had one file only; thrown as it is.
 * @throws PermanentError `files_failed`
 */
export async function runOutcome(pool: Pool, runId: string, whenNone: string, alone: Error | undefined): Promise<Outcome> {
  const { rows: files } = await pool.query<EndedFile>(outcomeQuery, [runId])
  const failed = files.filter((file) => file.state === 'failed')
  if (failed.length > 0) throw files.length === 1 && alone !== undefined ? alone : filesFailed(files.length, failed)
  const loaded = files.filter((file) => file.state === 'loaded')
  const empty = loaded.filter((file) => file.dataset_state === 'empty').length
  const stored = files.filter((file) => file.state === 'stored').length
  const quarantined = files.filter((file) => file.state === 'quarantined')
  const held = sum(quarantined, (file) => file.rows_written)
  const waiting = files.filter((file) => file.state === 'waiting').length
  const rejected = sum([...loaded, ...quarantined], (file) => file.rows_rejected)
  const duplicates = files.filter((file) => file.state === 'duplicate').length
  const rowsWritten = sum(loaded, (file) => file.rows_written)
  const parts = [
    loaded.length > 0 ? `${count(loaded.length, 'file')} loaded, ${count(rowsWritten, 'row')}` : '',
    stored > 0 ? `${count(stored, 'file')} converted to CSV` : '',
    empty > 0 ? `${empty} of them empty` : '',
    rejected > 0 ? `${count(rejected, 'row')} refused (dba.reject)` : '',
    quarantined.length > 0 ? `${count(quarantined.length, 'file')} in quarantine (dba.dataset), ${count(held, 'row')} held back` : '',
    waiting > 0 ? `${count(waiting, 'file')} waiting for a decision (dba.columnproposal)` : '',
    duplicates > 0 ? `${count(duplicates, 'duplicate')} not loaded again` : '',
  ]
  return {
    note: files.length === 0 ? whenNone : `${parts.filter((part) => part !== '').join('; ')}.`,
    rowsRead: sum([...loaded, ...quarantined], (file) => file.rows_read),
    rowsWritten,
    rowsRejected: rejected,
    bytesRead: sum(files, (file) => file.size_bytes),
    files: files.length,
  }
}

const outcomeQuery = `
  select f.file_name, f.state, f.reason, f.size_bytes, d.state as dataset_state, coalesce(d.rows_read, 0) as rows_read, coalesce(d.rows_written, 0) as rows_written,
         coalesce(d.rows_rejected, 0) as rows_rejected
  from dba.file f
  left join dba.dataset d on d.dataset_id = f.dataset_id and d.run_id = f.run_id
  where f.run_id = $1 and f.state in ('loaded', 'stored', 'duplicate', 'failed', 'quarantined', 'waiting')
  order by f.file_id`

function filesFailed(all: number, failed: EndedFile[]): PermanentError {
  const shown = failed.slice(0, 50).map((file) => `"${file.file_name}": ${file.reason ?? ''}`)
  const rest = failed.length > shown.length ? [`… and ${failed.length - shown.length} more`] : []
  return new PermanentError('files_failed', `${failed.length} of ${count(all, 'file')} could not be loaded`, {
    detail: [...shown, ...rest].join('\n'),
    hint: `The others are loaded. The failed ones lie in the failed folder (dba.file.kept_path): mend the cause, then update dba.file set state = 'retry' where state = 'failed' and …; or set 'dismissed'.`,
  })
}

function sum(files: EndedFile[], value: (file: EndedFile) => number): number {
  return files.reduce((total, file) => total + Number(value(file)), 0)
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`
}

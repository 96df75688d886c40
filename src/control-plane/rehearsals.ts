/** Rehearsals of job inbox, asked for and answered: dba.rehearsal and its mails. */
import { PermanentError } from '../../systemscripts/errors.ts'
import type { RehearsalmailRow, RehearsalRow } from '../db/row-types.ts'
import type { Reader } from './overview.ts'

/** What the rules would do: a row of dba.rehearsal with its mails, the newest first. */
export type Rehearsal = Pick<RehearsalRow, 'rehearsal_id' | 'config_name' | 'days' | 'state' | 'message' | 'messages' | 'matched'> & {
  mails: Omit<RehearsalmailRow, 'rehearsal_id'>[]
}

/** Asks what the rules of a mailbox would do with the mails of the last days; the run answers. */
export async function requestRehearsal({ query }: Reader, config: string, days: number): Promise<{ rehearsalId: number; runId: string }> {
  const [asked] = await query<{ rehearsal_id: number }>('select dba.request_rehearsal($1, $2) as rehearsal_id', [config, days])
  const rehearsalId = asked?.rehearsal_id ?? 0
  const [row] = await query<{ run_id: string }>('select run_id from dba.rehearsal where rehearsal_id = $1', [rehearsalId])
  return { rehearsalId, runId: row?.run_id ?? '' }
}

/** @throws PermanentError `rehearsal_not_found` */
export async function readRehearsal({ query }: Reader, rehearsalId: number): Promise<Rehearsal> {
  const [found] = await query<Omit<Rehearsal, 'mails'>>(
    'select rehearsal_id, config_name, days, state, message, messages, matched from dba.rehearsal where rehearsal_id = $1',
    [rehearsalId],
  )
  if (found === undefined) throw new PermanentError('rehearsal_not_found', `dba.rehearsal has no row ${rehearsalId}`)
  const mails = await query<Rehearsal['mails'][number]>(
    `select position, config_name, sender, subject, received_at, decision, failed_on, detail, files, would_file_to
     from dba.rehearsalmail where rehearsal_id = $1 order by position, config_name`,
    [rehearsalId],
  )
  return { ...found, mails }
}

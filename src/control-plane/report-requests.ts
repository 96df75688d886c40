/** Previews and tests of reports, as the command line asks for them. */
import type { Reader } from './overview.ts'

/** @param addresses who gets it, marked as a test; null: nobody. @returns the run */
export async function requestPreview({ query }: Reader, config: string, addresses: string[] | null): Promise<string> {
  const [row] = await query<{ run_id: string }>('select dba.request_preview($1, $2) as run_id', [config, addresses])
  return row?.run_id ?? ''
}

/** Number in dba.outbox of the mail that a run rendered; null: its conditions left nothing to render. */
export async function findRendered({ query }: Reader, runId: string): Promise<number | null> {
  const [row] = await query<{ outbox_id: number }>('select outbox_id from dba.outbox where run_id = $1 order by outbox_id limit 1', [runId])
  return row?.outbox_id ?? null
}

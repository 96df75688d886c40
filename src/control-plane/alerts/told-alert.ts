import type { ClientBase, Pool } from 'pg'
import type { AlertmessageRow, AlertRow } from '../../db/row-types.ts'

/** One thing to tell to one address. */
export interface AlertNews {
  messageId: number
  address: string
  event: AlertmessageRow['event']
  alertId: number
  kind: AlertRow['kind']
  subject: string
  severity: AlertRow['severity']
  state: AlertRow['state']
  count: number
  message: string | null
  fix: string | null
  why: string | null
  openedAt: string
  closedAt: string | null
  closedReason: string | null
  acknowledgedBy: string | null
  assignedTo: string | null
  owner: string | null
}

/** What settings say of alerts as a whole. */
export interface AlertTerms {
  /** More for one address at once become one letter. */
  storm: number
  sender: string | null
  /** Without a slash at its end. */
  publicAddress: string | null
}

/** What may go out now by that way, in the order in which it came up. Moments are in words, in the zone of dba.setting. */
export async function readDueNews(db: Pool | ClientBase, way: AlertmessageRow['way'], at: Date | null): Promise<AlertNews[]> {
  const { rows } = await db.query<AlertNews>(
    `select m.message_id as "messageId", m.address, m.event, a.alert_id as "alertId", a.kind, a.subject, a.severity, a.state, a.count, a.message, a.fix,
       nullif(a.why, '') as why, dba.local_time_text(date_trunc('second', a.opened_at), dba.default_time_zone()) as "openedAt",
       dba.local_time_text(date_trunc('second', a.closed_at), dba.default_time_zone()) as "closedAt", a.closed_reason as "closedReason",
       a.acknowledged_by as "acknowledgedBy", a.assigned_to as "assignedTo", a.owner
     from dba.messages_due(coalesce($2::timestamptz, statement_timestamp())) m
     join dba.alertmessage w using (message_id)
     join dba.alert a on a.alert_id = w.alert_id
     where m.way = $1
     order by m.message_id`,
    [way, at],
  )
  return rows
}

export async function readTerms(db: Pool | ClientBase): Promise<AlertTerms> {
  const { rows } = await db.query<{ name: string; value: string | null }>(
    `select name, value from dba.setting where name in ('alert_storm', 'mail_sender', 'public_address')`,
  )
  const values = new Map(rows.map(({ name, value }) => [name, value]))
  return {
    storm: Number(values.get('alert_storm') ?? 5),
    sender: values.get('mail_sender') ?? null,
    publicAddress: values.get('public_address')?.replace(/\/+$/, '') ?? null,
  }
}

/** News of one address as letters: the daily digest one, a storm one, else one each. */
export function lettersOf(news: AlertNews[], storm: number): AlertNews[][] {
  const letters: AlertNews[][] = []
  for (const ofAddress of Map.groupBy(news, ({ address }) => address).values()) {
    const digest = ofAddress.filter(({ event }) => event === 'digest')
    const others = ofAddress.filter(({ event }) => event !== 'digest')
    if (digest.length > 0) letters.push(digest)
    if (others.length > storm) letters.push(others)
    else letters.push(...others.map((one) => [one]))
  }
  return letters
}

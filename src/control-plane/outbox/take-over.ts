import type { ClientBase } from 'pg'

/** See Outbox.takeOver. */
export async function takeOverMails(client: ClientBase, runIds: string[], addresses: string[] | null): Promise<void> {
  await client.query(
    `delete from dba.outbox where run_id = any ($1) and state = 'rendered' and sending_at is null and (claimed_until is null or claimed_until < clock_timestamp())`,
    [runIds],
  )
  const { rows } = await client.query<{ outbox_id: number }>(
    `select outbox_id from dba.outbox where run_id = any ($1) and state in ('rendered', 'resend', 'sent', 'refused') for update`,
    [runIds],
  )
  const mails = rows.map(({ outbox_id }) => outbox_id)
  await client.query(
    `update dba.outboxrecipient r
     set state = case when $2::text[] is null or r.address = any ($2) then 'waiting' else 'cancelled' end, code = null, text = null, at = clock_timestamp()
     where r.outbox_id = any ($1) and r.state in ('waiting', 'refused', 'cancelled')`,
    [mails, addresses],
  )
  await client.query(
    `insert into dba.outboxrecipient (outbox_id, address, kind, position)
     select m, a.address, 'also', 1000000 + a.position
     from unnest($1::bigint[]) m cross join unnest($2::text[]) with ordinality a (address, position)
     on conflict (outbox_id, address) do nothing`,
    [mails, addresses],
  )
  await client.query(
    `update dba.outbox o
     set state = 'resend', resend_to = null, reason = null, round = o.round + 1, attempts = 0, asked_at = clock_timestamp(), next_try_at = null,
       claim = null, claimed_by = null, claimed_until = null
     where o.outbox_id = any ($1) and exists (select from dba.outboxrecipient r where r.outbox_id = o.outbox_id and r.state = 'waiting')`,
    [mails],
  )
}

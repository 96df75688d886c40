/** The ledger of mails that jobs see as `ctx.mails`. Its statements are in mails/. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { MailCursor } from '../../systemscripts/mail/mailbox.ts'
import type { MessageRef } from '../../systemscripts/mail/message-head.ts'
import type { KnownMail, MailLedger, Mails } from '../job/mails.ts'
import type { LedgerDeps } from './files/ledger-deps.ts'
import { endMailsQueries, filedQuery, refusalsQuery } from './mails/end-mails.ts'
import { type EarlierRow, earlierFileOf, earlierFilesQuery, planQuery } from './mails/files.ts'
import { type KnownRow, knownColumns, knownMailOf } from './mails/known.ts'
import { recordMails } from './mails/record.ts'
import { writeRehearsal } from './mails/rehearsal.ts'
import { storableJson } from './storable.ts'

/** Between two looks whether a mailbox is free. */
const lookAgainMs = 300

export function createMails(deps: LedgerDeps): Mails {
  const { pool, transaction, runId, log, signal } = deps
  return {
    open,
    peek,
    rehearsed: (rehearsalId, facts) => transaction((client) => writeRehearsal(client, rehearsalId, runId, facts)),
  }

  async function open(connectionName: string, folder: string): Promise<MailLedger> {
    for (let isTold = false; ; isTold = true) {
      const box = await transaction((client) => claim(client, runId, connectionName, folder))
      if (box !== null) return { ...ledgerOf(deps, connectionName, folder), ...(await peek(connectionName, folder)), ...box }
      if (!isTold) log('Another run is at this mailbox; this one waits', { connection: connectionName, folder })
      await pause(lookAgainMs, undefined, { signal })
    }
  }

  async function peek(connectionName: string, folder: string) {
    const { rows } = await pool.query<{ time_zone: string }>(
      `select coalesce((select s.time_zone from dba.run r join dba.scheduler s on s.schedule_id = r.schedule_id where r.run_id = $1), 'UTC') as time_zone`,
      [runId],
    )
    return {
      timeZone: rows[0]?.time_zone ?? 'UTC',
      otherRules: async () => {
        // As they are now: only the run's own settings are frozen.
        const values = [connectionName, folder, deps.configName]
        const found = await pool.query<{ rule: Record<string, unknown> }>('select dba.inbox_rules($1, $2, $3) as rule', values)
        return found.rows.map(({ rule }) => rule)
      },
      importFolders: (names: string[]) => importFolders(deps, names),
    }
  }
}

/** One row at a time belongs to one live run; that of a run that ended or died is free. */
async function claim(client: ClientBase, runId: string, connectionName: string, folder: string) {
  await client.query('insert into dba.mailbox (connection_name, folder) values ($1, $2) on conflict do nothing', [connectionName, folder])
  const { rows } = await client.query<{ cursor: MailCursor | null; rules_key: string | null }>(
    `update dba.mailbox m set run_id = $1
     where connection_name = $2 and folder = $3
       and (run_id is null or run_id = $1 or not exists (select from dba.run r where r.run_id = m.run_id and r.state = 'running'))
     returning cursor, rules_key`,
    [runId, connectionName, folder],
  )
  return rows[0] === undefined ? null : { cursor: rows[0].cursor, rulesKey: rows[0].rules_key }
}

async function importFolders({ pool }: LedgerDeps, names: string[]): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ config_name: string; source_folder: string }>(
    'select config_name, source_folder from dba.importconfig where config_name = any ($1)',
    [names],
  )
  const found = new Map(rows.map((row) => [row.config_name, row.source_folder]))
  const missing = names.find((name) => !found.has(name))
  if (missing === undefined) return found
  throw new PermanentError('config_not_found', `There is no config "${missing}" in dba.importconfig`, {
    hint: 'Correct import_config in dba.inboxconfig.',
  })
}

function ledgerOf(
  deps: LedgerDeps,
  connectionName: string,
  folder: string,
): Omit<MailLedger, keyof Awaited<ReturnType<Mails['peek']>> | 'cursor' | 'rulesKey'> {
  const { pool, transaction, runId } = deps
  const place = { connectionName, folder, runId }

  async function known(where: string, ...values: unknown[]): Promise<KnownMail[]> {
    const { rows } = await pool.query<KnownRow>(
      `select ${knownColumns} from dba.message where connection_name = $1 and ${where} order by message_id`,
      [connectionName, ...values],
    )
    return rows.map(knownMailOf)
  }

  return {
    toFile: () => known(`found_in = $2 and state in ('saved', 'refused') and filed_at is null`, folder),
    toTake: () => known(`found_in = $2 and state in ('saving', 'retry')`, folder),
    byFingerprint: (fingerprints) => known('fingerprint = any ($2)', fingerprints),

    async unmatched(uidValidity, since) {
      const { rows } = await pool.query<{ uid: string }>(
        `select uid from dba.message
         where connection_name = $1 and found_in = $2 and folder = $2 and uid_validity = $3 and uid is not null and state = 'unmatched'
           and ($4::timestamptz is null or received_at >= $4)
         order by message_id`,
        [connectionName, folder, uidValidity, since],
      )
      return rows.map(({ uid }) => ({ folder, uidValidity, uid }))
    },

    async unknown(refs) {
      const { rows } = await pool.query<{ position: number }>(
        `select r.position::integer
         from unnest($2::text[], $3::text[], $4::text[]) with ordinality as r (folder, uid_validity, uid, position)
         where not exists (
           select from dba.message m
           where (m.connection_name, m.folder, m.uid_validity, m.uid) = ($1, r.folder, r.uid_validity, r.uid) and m.state <> 'gone')
         order by r.position`,
        [connectionName, ...columnsOf(refs)],
      )
      return rows.flatMap(({ position }) => refs[position - 1] ?? [])
    },

    record: (mails) => transaction((client) => recordMails(client, place, mails)),

    async relocate(mails) {
      await transaction((client) =>
        client.query(
          `update dba.message m set folder = r.folder, uid_validity = r.uid_validity, uid = r.uid
           from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as r (message_id, folder, uid_validity, uid)
           where m.message_id = r.message_id`,
          [mails.map(({ messageId }) => messageId), ...columnsOf(mails.map(({ ref }) => ref))],
        ),
      )
    },

    async forgive(messageIds) {
      await transaction((client) =>
        client.query(`update dba.message set attempts = greatest(attempts - 1, 0) where message_id = any ($1) and state = 'saving'`, [
          messageIds,
        ]),
      )
    },

    async lose(messageIds, reason) {
      await transaction((client) =>
        client.query(`update dba.message set state = 'gone', reason = $2, run_id = $3 where message_id = any ($1)`, [
          messageIds,
          reason,
          runId,
        ]),
      )
    },

    async earlierFiles(messageIds) {
      const { rows } = await pool.query<EarlierRow>(earlierFilesQuery, [messageIds])
      return rows.map(earlierFileOf)
    },

    async planFiles(files) {
      await transaction((client) => client.query(planQuery, [storableJson(files)]))
    },

    async endMails(ends) {
      await transaction(async (client) => {
        const values = [storableJson(ends), runId]
        for (const query of endMailsQueries) await client.query(query, values)
        if (ends.some(({ refusals }) => refusals.length > 0)) await client.query(refusalsQuery, values)
      })
    },

    async filed(mails) {
      await transaction((client) => client.query(filedQuery, [mails.map(({ messageId }) => messageId), mails.map(({ done }) => done)]))
    },

    async end({ account, cursor, rulesKey, startedAnew }) {
      await transaction((client) =>
        client.query(
          `update dba.mailbox set account = $3, cursor = $4, rules_key = $5, started_anew = $6, looked_at = clock_timestamp(), run_id = null
           where connection_name = $1 and folder = $2 and run_id = $7`,
          [connectionName, folder, account, cursor, rulesKey, startedAnew, runId],
        ),
      )
    },
  }
}

function columnsOf(refs: MessageRef[]): [string[], string[], string[]] {
  return [refs.map((ref) => ref.folder), refs.map((ref) => ref.uidValidity), refs.map((ref) => ref.uid)]
}

/** What reports know of their data and told their readers: dba.reportsnapshot, dba.reportsource, and the freshness gate. */
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Pool } from 'pg'
import type { Filled } from '../db/filled.ts'
import type { ReportsnapshotRow } from '../db/row-types.ts'
import type { Reports } from '../job/reports.ts'

export interface ReportsOptions {
  pool: Pool
  runId: string
  /** Row of dba.reportconfig. */
  configName: string
}

const pack = promisify(gzip)
const unpack = promisify(gunzip)

export function createReports({ pool, runId, configName }: ReportsOptions): Reports {
  return {
    async line() {
      const { rows } = await pool.query<{ line: string[] | null }>('select dba.report_line($1) as line', [runId])
      const [, ...repeated] = rows[0]?.line ?? []
      return [runId, ...repeated]
    },
    async freshness() {
      const { rows } = await pool.query<{ stale: { name: string; words: string }[]; data_at: Date | null }>(
        `select array(select to_jsonb(s) from dba.stale_parts(c, r.due_at) s) as stale, (select min(d.data_at) from dba.newest_datasets(c) d) as data_at
         from dba.run r, dba.reportconfig c where r.run_id = $1 and c.config_name = $2`,
        [runId, configName],
      )
      return { stale: rows[0]?.stale ?? [], dataAt: rows[0]?.data_at ?? null }
    },
    async findings(tables) {
      const { rows } = await pool.query<{ what: string }>(
        `select f.what from dba.run r, dba.reportconfig c, dba.report_findings(c, r.due_at, $3) f where r.run_id = $1 and c.config_name = $2`,
        [runId, configName, tables],
      )
      return rows.map(({ what }) => what)
    },
    async scheduleInWords() {
      const { rows } = await pool.query<{ words: string | null }>(
        `select case when num_nonnulls(s.cron, s.on_file, s.on_notify, s.run_after) > 0 then s.explained end as words
         from dba.scheduler s
         where s.job = 'report' and s.config_name = $2 and s.is_active
         order by s.schedule_id = (select r.schedule_id from dba.run r where r.run_id = $1) and s.cron is not null desc, s.cron is null, s.schedule_id
         limit 1`,
        [runId, configName],
      )
      return rows[0]?.words ?? null
    },
    async dataAt(tables) {
      const { rows } = await pool.query<{ data_at: Date | null }>(
        `select min(t.came_at) as data_at
         from (select max(d.valid_from) as came_at from dba.dataset d where d.target_table = any ($1) and d.state = 'active' group by d.target_table) t`,
        [tables],
      )
      return rows[0]?.data_at ?? null
    },
    async defaultSender() {
      const { rows } = await pool.query<{ value: string | null }>(`select value from dba.setting where name = 'mail_sender'`)
      return rows[0]?.value ?? null
    },
    async tablesBehind(functions) {
      if (functions.length === 0) return []
      const { rows } = await pool.query<{ tables: string[] }>('select dba.tables_behind($1::oid[]) as tables', [functions])
      return rows[0]?.tables ?? []
    },
    async lastTold(recipient) {
      const { rows } = await pool.query<SnapshotRow>('select query_name, fingerprint, content, taken_at from dba.last_told($1, $2)', [
        configName,
        recipient,
      ])
      const told = await Promise.all(
        rows.map(async ({ query_name, fingerprint, content, taken_at }) => {
          const text = content === null ? null : (await unpack(content)).toString()
          return [query_name, { fingerprint, content: text, takenAt: taken_at }] as const
        }),
      )
      return new Map(told)
    },
    async remember(client, { outboxId, recipient, told }) {
      const packed = await Promise.all(told.map(async ({ content }) => (content === null ? null : await pack(content))))
      await client.query(
        `insert into dba.reportsnapshot (config_name, recipient, query_name, fingerprint, content, outbox_id)
         select $1, $2, t.query_name, t.fingerprint, t.content, $6
         from unnest($3::text[], $4::text[], $5::bytea[]) as t (query_name, fingerprint, content)
         on conflict do nothing`,
        [configName, recipient, told.map(({ queryName }) => queryName), told.map(({ fingerprint }) => fingerprint), packed, outboxId],
      )
      await client.query(
        `delete from dba.reportsnapshot s using dba.last_told($1, $2) l
         where s.config_name = $1 and s.recipient = $2 and s.query_name = l.query_name and s.outbox_id < l.outbox_id`,
        [configName, recipient],
      )
    },
    async recordSources(tables, readAt) {
      await pool.query(
        `insert into dba.reportsource as s (run_id, config_name, table_name, query_names, read_at)
         select $1, $2, t.table_name, array(select jsonb_array_elements_text(t.query_names)), $4
         from jsonb_to_recordset($3) as t (table_name text, query_names jsonb)
         on conflict (run_id, table_name) do update set query_names = excluded.query_names, read_at = excluded.read_at`,
        [
          runId,
          configName,
          JSON.stringify(tables.map(({ tableName, queryNames }) => ({ table_name: tableName, query_names: queryNames }))),
          readAt,
        ],
      )
    },
  }
}

type SnapshotRow = Pick<ReportsnapshotRow, 'query_name' | 'fingerprint' | 'content'> & Filled<ReportsnapshotRow, 'taken_at'>

/** What is imported in a storm: one feed for each way in which a file can come into a table. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import { workbook } from '../../systemscripts/workbooks.ts'

export interface Feed {
  /** Of its config, its folder below `inbox` and its table in schema `storm`. */
  name: string
  extension: string
  settings?: Record<string, unknown>
  /** Types and checks, as SQL. */
  rules?: string
  /** How its files name rows: every row anew, by keys that files share, or the whole file by its label. */
  rows: 'own' | 'keyed' | 'labelled'
  /** Files are taken when `<name>.done` stands beside them. */
  hasDoneFiles?: boolean
  /** Rows that are refused in each file; the file is loaded without them. */
  refusedRows?: number
  write(rows: string[][]): Buffer
}

const labelled = { label_from: 'filename', label_spec: '0', date_from: 'static', date_spec: '20261122' }

export const feeds: Feed[] = [
  { name: 'appended', extension: 'csv', rows: 'own', write: csv },
  { name: 'in_done_files', extension: 'csv', rows: 'own', settings: { done_file: '.done' }, hasDoneFiles: true, write: csv },
  {
    name: 'staged_books',
    extension: 'xlsx',
    rows: 'own',
    settings: { keep_csv: true },
    rules: `insert into dba.importcheck (config_name, check_name, kind, expression, severity) values ('staged_books', 'has a token', 'expression', 'token <> ''''', 'fail')`,
    write: (rows) => workbook({ Data: rows }, 'xlsx'),
  },
  { name: 'site_books', extension: 'xls', rows: 'labelled', settings: { load_mode: 'replace_dataset', ...labelled }, write: xls },
  { name: 'whole_table', extension: 'xls', rows: 'labelled', settings: { load_mode: 'replace', ...labelled }, write: html },
  { name: 'upserted', extension: 'csv', rows: 'keyed', settings: { load_mode: 'upsert', key_columns: ['key'] }, write: csv },
  { name: 'appended_new', extension: 'csv', rows: 'keyed', settings: { load_mode: 'append_new', key_columns: ['key'] }, write: csv },
  {
    name: 'with_refusals',
    extension: 'csv',
    rows: 'own',
    settings: { max_rejects: 5 },
    rules: `insert into dba.importcolumn (config_name, column_name, type) values ('with_refusals', 'line', 'integer')`,
    refusedRows: 3,
    write: (rows) => csv(rows.map((row, line) => (line >= 1 && line <= 3 ? [row[0] ?? '', 'no number', ...row.slice(2)] : row))),
  },
]

/** Writes the settings down, makes the folders, and lets two schedules look at each folder every few seconds. */
export async function setUpFeeds(client: Client, dataDir: string): Promise<void> {
  for (const feed of feeds) {
    await mkdir(join(dataDir, 'inbox', feed.name), { recursive: true })
    await insert(client, 'dba.importconfig', {
      config_name: feed.name,
      source_folder: `inbox/${feed.name}`,
      file_pattern: `*.${feed.extension}`,
      target_table: `storm.${feed.name}`,
      settle: '0.4 s',
      ...feed.settings,
    })
    if (feed.rules !== undefined) await client.query(feed.rules)
    for (const seconds of [2, 3]) {
      await insert(client, 'dba.scheduler', {
        schedule_name: `${feed.name} every ${seconds} s`,
        job: 'import',
        config_name: feed.name,
        cron: `@every ${seconds}s`,
        // So many that kills alone end no run as failed.
        max_attempts: 50,
        retry_delay: '500 ms',
        retry_backoff: 1,
      })
    }
  }
}

async function insert(client: Client, table: string, row: Record<string, unknown>): Promise<void> {
  const places = Object.keys(row).map((_, index) => `$${index + 1}`)
  await client.query(`insert into ${table} (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
}

function csv(rows: string[][]): Buffer {
  return Buffer.from(`${rows.map((row) => row.join(',')).join('\n')}\n`)
}

function xls(rows: string[][]): Buffer {
  return workbook({ Data: rows }, 'biff8')
}

function html(rows: string[][]): Buffer {
  return Buffer.from(
    `<html><body><table>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n')}</table></body></html>`,
  )
}

// Written by npm run schema from the migrations; do not edit.

import type { ColumnType } from "kysely";

export type Generated<T> = T extends ColumnType<infer S, infer I, infer U>
  ? ColumnType<S, I | undefined, U>
  : ColumnType<T, T | undefined, T>;

export type Json = JsonValue;

export type JsonArray = JsonValue[];

export type JsonObject = {
  [x: string]: JsonValue | undefined;
};

export type JsonPrimitive = boolean | number | string | null;

export type JsonValue = JsonArray | JsonObject | JsonPrimitive;

export type Numeric = ColumnType<string, number | string, number | string>;

export type Timestamp = ColumnType<Date, Date | string, Date | string>;

export interface DbaAlert {
  /**
   * Who took it. Kept by Rota.
   */
  acknowledged_by: string | null;
  /**
   * Number of the incident.
   */
  alert_id: Generated<number>;
  /**
   * When it recovered.
   */
  closed_at: Timestamp | null;
  /**
   * How often it was seen.
   */
  count: Generated<number>;
  /**
   * failed, missed, recovered, late, slow or empty.
   */
  kind: string;
  /**
   * When it was last seen.
   */
  last_seen_at: Generated<Timestamp>;
  /**
   * What is wrong, in words.
   */
  message: string | null;
  /**
   * When it began.
   */
  opened_at: Generated<Timestamp>;
  /**
   * The run that was last concerned.
   */
  run_id: string | null;
  /**
   * open, acknowledged, muted or recovered.
   */
  state: Generated<string>;
  /**
   * Name of the schedule it is about.
   */
  subject: string;
}

export interface DbaAttempt {
  /**
   * Counted from 1.
   */
  attempt: number;
  /**
   * Stable word for its error; worker_lost when its worker died.
   */
  error_code: string | null;
  /**
   * What was seen.
   */
  error_detail: string | null;
  /**
   * What to do.
   */
  error_hint: string | null;
  /**
   * Its error in one clause.
   */
  error_message: string | null;
  /**
   * When it ended; null while it goes on.
   */
  finished_at: Timestamp | null;
  /**
   * succeeded, failed, cancelled, lost (its worker died) or handed_back (its worker was stopped); null while it goes on.
   */
  outcome: string | null;
  /**
   * The run.
   */
  run_id: string;
  /**
   * When it began.
   */
  started_at: Generated<Timestamp>;
  /**
   * The worker that made it.
   */
  worker: string;
}

export interface DbaBookmark {
  /**
   * Which position, where a job keeps several.
   */
  bookmark_name: Generated<string>;
  /**
   * Row of its settings table.
   */
  config_name: string;
  /**
   * The job.
   */
  job: string;
  /**
   * When it was moved.
   */
  moved_at: Generated<Timestamp>;
  /**
   * Who moved it.
   */
  moved_by: Generated<string>;
  /**
   * Why it was moved by hand; people must say it.
   */
  reason: string | null;
  /**
   * The run that moved it; null: a person.
   */
  run_id: string | null;
  /**
   * The position, as the job writes it.
   */
  value: Json;
}

export interface DbaBookmarkhistory {
  /**
   * Which position.
   */
  bookmark_name: string;
  /**
   * Row of its settings table.
   */
  config_name: string;
  /**
   * Position before it; null: there was none.
   */
  former_value: Json | null;
  /**
   * Order of the moves.
   */
  history_id: Generated<number>;
  /**
   * The job.
   */
  job: string;
  /**
   * When.
   */
  moved_at: Timestamp;
  /**
   * Who.
   */
  moved_by: string;
  /**
   * Why.
   */
  reason: string | null;
  /**
   * The run that moved it; null: a person.
   */
  run_id: string | null;
  /**
   * Position after the move; null: deleted.
   */
  value: Json | null;
}

export interface DbaCalendar {
  /**
   * Its name: lower case letters, digits, underscores.
   */
  calendar: string;
  /**
   * When the row was inserted. Kept by Rota.
   */
  created_at: Generated<Timestamp>;
  /**
   * Who inserted it. Kept by Rota.
   */
  created_by: Generated<string>;
  /**
   * Whose calendar it is, and who keeps it.
   */
  description: string | null;
  /**
   * When a person last changed it. Kept by Rota.
   */
  updated_at: Generated<Timestamp>;
  /**
   * Who changed it. Kept by Rota.
   */
  updated_by: Generated<string>;
  /**
   * Counted up by every change of a person. Kept by Rota.
   */
  version: Generated<number>;
  /**
   * Days of the week that are free, 0 = Sunday: {0,6}. At least one day must be left to work on.
   */
  weekend: Generated<number[]>;
}

export interface DbaCalendarday {
  /**
   * The calendar.
   */
  calendar: string;
  /**
   * The day, in the zone of the schedule that asks.
   */
  day: string;
  /**
   * holiday (default) or workday.
   */
  kind: Generated<string>;
  /**
   * Its name, as people say it: Christmas Day.
   */
  note: string | null;
}

export interface DbaConfigaudit {
  /**
   * The row after; null: it was deleted.
   */
  after: Json | null;
  /**
   * Program that sent the statement.
   */
  application: string | null;
  /**
   * Order of the changes.
   */
  audit_id: Generated<number>;
  /**
   * The row before; null: it was inserted.
   */
  before: Json | null;
  /**
   * When.
   */
  changed_at: Generated<Timestamp>;
  /**
   * Who: the login.
   */
  changed_by: Generated<string>;
  /**
   * Address it came from; null: from this machine's socket.
   */
  client: string | null;
  /**
   * Name of the row, as it was before the change.
   */
  row_key: string;
  /**
   * Table in schema dba.
   */
  table_name: string;
  /**
   * Changes of one transaction share it.
   */
  transaction_id: number;
  /**
   * Version of the row after the change; runs carry it as config_version.
   */
  version: number | null;
}

export interface DbaConnection {
  /**
   * What the worker found. Kept by Rota.
   */
  check_message: string | null;
  /**
   * ok, failed, unchecked or asked. Kept by Rota; ask with select dba.check_connection('name').
   */
  check_state: Generated<string>;
  /**
   * When a worker last tried it. Kept by Rota.
   */
  checked_at: Timestamp | null;
  /**
   * Its name, as jobs and configs use it.
   */
  connection_name: string;
  /**
   * When the row was inserted. Kept by Rota.
   */
  created_at: Generated<Timestamp>;
  /**
   * Who inserted it. Kept by Rota.
   */
  created_by: Generated<string>;
  /**
   * Database; for kind folder the folder's path.
   */
  database_name: string | null;
  /**
   * What is behind it.
   */
  description: string | null;
  /**
   * prod, uat or dev: jobs that overwrite data look at it.
   */
  environment: Generated<string>;
  /**
   * Host name or address; for kind folder null.
   */
  host: string | null;
  /**
   * True: nothing is ever written through it.
   */
  is_read_only: Generated<boolean>;
  /**
   * postgres, sqlserver, sftp, smtp, imap, gmail, opcua, http or folder.
   */
  kind: string;
  /**
   * Lane whose workers can reach it.
   */
  lane: Generated<string>;
  /**
   * Further options of the kind, a JSON object.
   */
  options: Generated<Json>;
  /**
   * Who answers for it.
   */
  owner: string | null;
  /**
   * Port; null: the usual one of the kind.
   */
  port: number | null;
  /**
   * Where the password is: a name set with rota secret set, or env:NAME, or file:/run/secrets/name.
   */
  secret_name: string | null;
  /**
   * verify (default: certificate checked), require (encrypted, not checked), off.
   */
  tls: Generated<string>;
  /**
   * When a person last changed it. Kept by Rota.
   */
  updated_at: Generated<Timestamp>;
  /**
   * Who changed it. Kept by Rota.
   */
  updated_by: Generated<string>;
  /**
   * User to log in as.
   */
  user_name: string | null;
  /**
   * Counted up by every change of a person. Kept by Rota.
   */
  version: Generated<number>;
}

export interface DbaDataset {
  /**
   * Row of that job's settings table.
   */
  config_name: string | null;
  /**
   * When the load began.
   */
  created_at: Generated<Timestamp>;
  /**
   * Column of target_table that carries the dataset's number.
   */
  dataset_column: string | null;
  /**
   * Business date.
   */
  dataset_date: string;
  /**
   * Number that the rows of the target carry.
   */
  dataset_id: Generated<number>;
  /**
   * Kind of dataset.
   */
  datasettype: string;
  /**
   * Where it comes from.
   */
  datasource: string;
  /**
   * The file it came from.
   */
  file_id: number | null;
  /**
   * The job that made it.
   */
  job: Generated<string>;
  /**
   * What it is about: event id, site, the file's name.
   */
  label: string;
  /**
   * Why it is empty, failed or quarantined.
   */
  reason: string | null;
  /**
   * Rows read.
   */
  rows_read: Generated<number>;
  /**
   * Rows refused.
   */
  rows_rejected: Generated<number>;
  /**
   * Rows written.
   */
  rows_written: Generated<number>;
  /**
   * The run that made it.
   */
  run_id: string | null;
  /**
   * new, active, superseded, empty, failed, quarantined, deleted.
   */
  state: Generated<string>;
  /**
   * Table its rows went to, as schema.table.
   */
  target_table: string | null;
  /**
   * Since when it is the one in force.
   */
  valid_from: Timestamp | null;
  /**
   * Until when it was; null: still.
   */
  valid_to: Timestamp | null;
}

export interface DbaDatasettype {
  /**
   * When it was registered.
   */
  created_at: Generated<Timestamp>;
  /**
   * Who registered it.
   */
  created_by: Generated<string>;
  /**
   * Its name.
   */
  datasettype: string;
  /**
   * What such a dataset holds.
   */
  description: string | null;
}

export interface DbaDatasource {
  /**
   * When it was registered.
   */
  created_at: Generated<Timestamp>;
  /**
   * Who registered it.
   */
  created_by: Generated<string>;
  /**
   * Its name.
   */
  datasource: string;
  /**
   * Who sends it.
   */
  description: string | null;
}

export interface DbaFile {
  /**
   * Row of that job's settings table.
   */
  config_name: string | null;
  /**
   * The CSV it became, where keep_csv asked for one.
   */
  csv_path: string | null;
  /**
   * The dataset it became.
   */
  dataset_id: number | null;
  /**
   * Number of the file.
   */
  file_id: Generated<number>;
  /**
   * Name it came with.
   */
  file_name: string;
  /**
   * The job that took it.
   */
  job: Generated<string>;
  /**
   * When its bytes reached kept_path; null while they are on their way.
   */
  kept_at: Timestamp | null;
  /**
   * Where its bytes are kept now: archive or failed folder.
   */
  kept_path: string | null;
  /**
   * When it was last written to, where it was found.
   */
  modified_at: Timestamp | null;
  /**
   * folder, mail, page or sftp.
   */
  origin: Generated<string>;
  /**
   * Where it was found.
   */
  path: string;
  /**
   * In words: why it failed, or of which file it is a duplicate.
   */
  reason: string | null;
  /**
   * The run that dealt with it last.
   */
  run_id: string | null;
  /**
   * When Rota first met it.
   */
  seen_at: Generated<Timestamp>;
  /**
   * Hash of its bytes, hexadecimal; the same bytes are not loaded twice.
   */
  sha256: string | null;
  /**
   * Its size.
   */
  size_bytes: number;
  /**
   * stored (kept, not for loading), waiting, loading, loaded, duplicate, failed, quarantined; people set retry or dismissed.
   */
  state: string;
  /**
   * When this row last changed.
   */
  updated_at: Generated<Timestamp>;
}

export interface DbaImportconfig {
  /**
   * Where loaded files go, in a folder per day. Null: archive/<config_name>, filled in at the INSERT.
   */
  archive_folder: string | null;
  /**
   * Part of the sheet, as B3:H200. Not in this version.
   */
  cell_range: string | null;
  /**
   * Its name; dba.scheduler.config_name refers to it.
   */
  config_name: string;
  /**
   * When the row was inserted. Kept by Rota.
   */
  created_at: Generated<Timestamp>;
  /**
   * Who inserted it. Kept by Rota.
   */
  created_by: Generated<string>;
  /**
   * The target's column that refers to dba.dataset. Where the target has datasetid instead, that is taken.
   */
  dataset_column: Generated<string>;
  /**
   * Kind of dataset; registered in dba.datasettype when new.
   */
  datasettype: Generated<string>;
  /**
   * Where the data comes from; registered in dba.datasource when new. Null: the config's name, filled in at the INSERT.
   */
  datasource: string | null;
  /**
   * How filename and static dates are written: yyyy yy MMM (Jan) MM M dd d HH H hh h mm ss SSS a (AM), all else as it stands: yyyyMMddTHHmmss, dd.MM.yyyy. A file whose date cannot be read fails.
   */
  date_format: Generated<string>;
  /**
   * Business date, taken from: modified (default: when the file was last written to), filename, today, or static text in date_spec.
   */
  date_from: Generated<string>;
  /**
   * For filename: null the whole name (without extension), digits the part of that number from 0, else a regular expression whose first group is taken. For static: the date, written as date_format says.
   */
  date_spec: string | null;
  /**
   * Of a CSV: one character, or \t for a tab. Null: detected among , ; tab and |.
   */
  delimiter: string | null;
  /**
   * What these files are and who sends them.
   */
  description: string | null;
  /**
   * A file is taken when this one stands beside it: {name}.done, {stem}.ok, or .done for the same as {name}.done. Null: settle decides. It is removed when its file has been dealt with.
   */
  done_file: string | null;
  /**
   * Regular expression: when a value in the first column matches, the file is archived as an empty dataset that supersedes nothing: Invalid Event ID.
   */
  empty_when: string | null;
  /**
   * Of a CSV or HTML page: windows-1252, utf-16le … Null: by byte order mark, else UTF-8.
   */
  encoding: string | null;
  /**
   * Where files that could not be loaded go, with a note of the reason beside them. Null: failed/<config_name>, filled in at the INSERT.
   */
  failed_folder: string | null;
  /**
   * auto (default: told by the bytes, whatever the name ends in), csv, xlsx, xls or html.
   */
  file_kind: Generated<string>;
  /**
   * Which names, the whole name: *.xlsx, prices_{eu,us}_*.csv; a regular expression when pattern_kind says so. Hidden and unfinished names (.x, ~$x.xlsx, x.part, x.tmp) are left alone.
   */
  file_pattern: string;
  /**
   * Row that holds the column names, counted from 1. Null: Rota finds it.
   */
  header_row: number | null;
  /**
   * Rows that the column names take up. In this version 1.
   */
  header_rows: Generated<number>;
  /**
   * False: fires of its schedules are skipped.
   */
  is_active: Generated<boolean>;
  /**
   * Keeps the CSV that a spreadsheet became beside the archived original. Not in this version.
   */
  keep_csv: Generated<boolean>;
  /**
   * Columns that name a row, for upsert and append_new. Not in this version.
   */
  key_columns: string[] | null;
  /**
   * What the dataset is about, taken from: filename (default), folder, or static text in label_spec.
   */
  label_from: Generated<string>;
  /**
   * For filename and folder: null the whole name (without extension), digits the part of that number from 0, else a regular expression whose first group is taken. For static: the label.
   */
  label_spec: string | null;
  /**
   * append (default) or replace_dataset: the rows of the former dataset of the same source, type, label and date leave in the same transaction.
   */
  load_mode: Generated<string>;
  /**
   * Share of rows that may be refused, in percent. Not in this version.
   */
  max_reject_percent: Numeric | null;
  /**
   * Rows that may be refused before the file fails. In this version 0.
   */
  max_rejects: Generated<number | null>;
  /**
   * How headers become column names: legacy (default: lower case, blanks and dashes to _, all else stays) or readable (words joined by _: "% Change" becomes percent_change).
   */
  name_rule: Generated<string>;
  /**
   * Same key twice in a file: fail, last or first. In this version fail.
   */
  on_duplicate_key: Generated<string>;
  /**
   * A column of the target that the file lacks: null (default) or fail. Whatever stands here: a file in which fewer than half of the target's columns are found fails with header_not_recognised.
   */
  on_missing_column: Generated<string>;
  /**
   * A column in the file that the target lacks: add (default: text column added), ignore, fail. The predecessor's strategies 1, 2, 3 are add/null, ignore/null, ignore/fail (on_new_column/on_missing_column).
   */
  on_new_column: Generated<string>;
  /**
   * Which file first: by name (default) or modified (oldest first).
   */
  order_by: Generated<string>;
  /**
   * Who answers for it.
   */
  owner: string | null;
  /**
   * Splits the file name without extension into parts (a folder's path into parts at /): _. The predecessor's delimiter.
   */
  part_delimiter: Generated<string>;
  /**
   * glob (default) or regex.
   */
  pattern_kind: Generated<string>;
  /**
   * Of a CSV: one character; empty text for none. Null: ".
   */
  quote: string | null;
  /**
   * True: also the folders below.
   */
  recurse: Generated<boolean>;
  /**
   * A file is taken when it has not changed for so long: 2 seconds. Not used with done_file.
   */
  settle: Generated<string>;
  /**
   * Sheet by name, or its number from 1; of an HTML page the number of the table. Null: the first visible sheet, the largest table.
   */
  sheet: string | null;
  /**
   * Where the files arrive: absolute, or relative to the data folder: inbox/prices. It must exist; a run fails when it is missing.
   */
  source_folder: string;
  /**
   * Time zone for modified and today, and of times in the file: an IANA name.
   */
  source_zone: Generated<string>;
  /**
   * Where the rows go, as schema.table: feeds.price. Schema and table are made when missing and on_new_column is add.
   */
  target_table: string | null;
  /**
   * When a person last changed it. Kept by Rota.
   */
  updated_at: Generated<Timestamp>;
  /**
   * Who changed it. Kept by Rota.
   */
  updated_by: Generated<string>;
  /**
   * Counted up by every change of a person. Kept by Rota.
   */
  version: Generated<number>;
}

export interface DbaJob {
  /**
   * Keys that dba.scheduler.args may hold besides the columns of the settings table.
   */
  args_allowed: Generated<string[]>;
  /**
   * Its settings table in schema dba; null: it has none and everything stands in args.
   */
  config_table: string | null;
  /**
   * What it does.
   */
  description: string;
  /**
   * Its name: that of the file in jobs/, of its settings table and of the word in dba.scheduler.job.
   */
  job: string;
  /**
   * At most so many runs of it at once, over all workers. Null: as many as the workers carry. People may set it.
   */
  max_running: number | null;
}

export interface DbaJobconfig {
  /**
   * The row of its settings table.
   */
  config_name: string;
  /**
   * As the config says; fires of a config that is switched off are skipped.
   */
  is_active: Generated<boolean>;
  /**
   * The job.
   */
  job: string;
  /**
   * Version of the config, counted up by every change.
   */
  version: Generated<number>;
}

export interface DbaLane {
  /**
   * When the row was inserted. Kept by Rota.
   */
  created_at: Generated<Timestamp>;
  /**
   * Who inserted it. Kept by Rota.
   */
  created_by: Generated<string>;
  /**
   * Which machines or network zone it reaches.
   */
  description: string | null;
  /**
   * Its name: lower case letters, digits, underscores.
   */
  lane: string;
  /**
   * Why, for those who look at night.
   */
  pause_reason: string | null;
  /**
   * Who paused it. Kept by Rota.
   */
  paused_by: string | null;
  /**
   * Until then nothing starts in this lane; infinity: until a person clears it.
   */
  paused_until: Timestamp | null;
  /**
   * When a person last changed it. Kept by Rota.
   */
  updated_at: Generated<Timestamp>;
  /**
   * Who changed it. Kept by Rota.
   */
  updated_by: Generated<string>;
  /**
   * Counted up by every change of a person. Kept by Rota.
   */
  version: Generated<number>;
}

export interface DbaLogentry {
  /**
   * The attempt.
   */
  attempt: number | null;
  /**
   * Facts to it, a JSON object.
   */
  data: Json | null;
  /**
   * debug, info, warning or error.
   */
  level: Generated<string>;
  /**
   * Order of writing.
   */
  log_id: Generated<number>;
  /**
   * When it was said.
   */
  logged_at: Generated<Timestamp>;
  /**
   * What happened.
   */
  message: string;
  /**
   * The run it belongs to; null: the worker itself.
   */
  run_id: string | null;
  /**
   * Step of the job: the file, the page, the statement.
   */
  step: string | null;
  /**
   * Seconds since the line before it.
   */
  step_seconds: number | null;
  /**
   * Seconds since the attempt began.
   */
  total_seconds: number | null;
}

export interface DbaMigration {
  /**
   * When it was applied here.
   */
  applied_at: Generated<Timestamp>;
  /**
   * The login that applied it.
   */
  applied_by: Generated<string>;
  /**
   * sha256 over the text of all its parts, in hexadecimal.
   */
  checksum: string;
  /**
   * The number the file or folder begins with: 1 for 0001_control_plane.
   */
  migration_number: number;
  /**
   * Name of the file or folder under migrations/.
   */
  name: string;
}

export interface DbaNextRun {
  /**
   * Attempts made so far; above 0 it waits for a retry.
   */
  attempt: number | null;
  /**
   * Row of the job's settings table.
   */
  config_name: string | null;
  /**
   * When it may start.
   */
  due_at: Timestamp | null;
  /**
   * How far away that is: in 2 h 10 min; 3 min ago when it is overdue.
   */
  in_words: string | null;
  /**
   * Kind of work.
   */
  job: string | null;
  /**
   * Stream of work it goes to.
   */
  lane: string | null;
  /**
   * The nominal fire in the zone of the schedule.
   */
  local_time: string | null;
  /**
   * Higher starts first.
   */
  priority: number | null;
  /**
   * What it waits for, why it was moved, or why it will not run.
   */
  reason: string | null;
  /**
   * Who asked for it; null: its schedule.
   */
  requested_by: string | null;
  /**
   * The run: cancel it with select dba.cancel(run_id).
   */
  run_id: string | null;
  /**
   * The schedule.
   */
  schedule_name: string | null;
  /**
   * The nominal fire.
   */
  scheduled_for: Timestamp | null;
  /**
   * planned, waiting (reason says for what) or queued (handed out, a worker takes it when it is free).
   */
  state: string | null;
  /**
   * Why it fires: cron, request, file, notify, after, catch_up, always, api.
   */
  trigger: string | null;
}

export interface DbaOutbox {
  /**
   * Tries to send it.
   */
  attempts: Generated<number>;
  /**
   * The bytes that were or will be sent, compressed.
   */
  content: Buffer | null;
  /**
   * When it was made.
   */
  created_at: Generated<Timestamp>;
  /**
   * Stable word for the last error.
   */
  error_code: string | null;
  /**
   * report or alert.
   */
  kind: string;
  /**
   * What the mail server said.
   */
  message: string | null;
  /**
   * Report, fire and recipients in one key; the same key never goes out twice.
   */
  once_key: string;
  /**
   * Number of the message.
   */
  outbox_id: Generated<number>;
  /**
   * Who gets it.
   */
  recipients: string[];
  /**
   * With state = 'resend': who gets the same bytes again.
   */
  resend_to: string[] | null;
  /**
   * The run that made it.
   */
  run_id: string | null;
  /**
   * When it was accepted.
   */
  sent_at: Timestamp | null;
  /**
   * waiting, sending, sent, failed, unknown; people set resend.
   */
  state: Generated<string>;
  /**
   * Its subject.
   */
  subject: string | null;
}

export interface DbaPlan {
  /**
   * When a worker last looked.
   */
  answered_at: Timestamp | null;
  /**
   * Version of the config that config_state speaks of.
   */
  answered_config_version: number | null;
  /**
   * Version of the schedule that explained and config_state speak of.
   */
  answered_version: number | null;
  /**
   * Version of its calendar that its planned runs follow.
   */
  planned_calendar_version: number | null;
  /**
   * Every fire up to here has its row in dba.run; what lies behind it is still owed.
   */
  planned_through: Generated<Timestamp>;
  /**
   * Version of the schedule that its planned runs follow; another one: it is planned anew.
   */
  planned_version: number | null;
  /**
   * When the next fires have to be planned; null: nothing to plan.
   */
  refill_at: Timestamp | null;
  /**
   * The schedule. No foreign key, so that an edit that somebody holds open never holds up the planner; the row goes after the schedule.
   */
  schedule_id: number;
  /**
   * Ends of upstream schedules before this moment do not count for run_after.
   */
  waits_since: Generated<Timestamp>;
}

export interface DbaProblem {
  /**
   * What to type, or to do.
   */
  fix: string | null;
  /**
   * What is wrong, in words.
   */
  message: string | null;
  /**
   * severe (something does not run or does not end well), warning (it will, or data is held back) or notice (worth putting in order).
   */
  severity: string | null;
  /**
   * Since when.
   */
  since: Timestamp | null;
  /**
   * Name of the schedule, lane, config, calendar, connection or worker it is about.
   */
  subject: string | null;
}

export interface DbaRecentRun {
  /**
   * Overrides it ran with.
   */
  args: Json | null;
  /**
   * Attempts it took.
   */
  attempt: number | null;
  /**
   * Row of the job's settings table.
   */
  config_name: string | null;
  /**
   * From the beginning of its first attempt to its end, or until now.
   */
  duration: string | null;
  /**
   * Stable word for the error.
   */
  error_code: string | null;
  /**
   * What was seen.
   */
  error_detail: string | null;
  /**
   * What to do.
   */
  error_hint: string | null;
  /**
   * Files it dealt with.
   */
  files: number | null;
  /**
   * When it ended.
   */
  finished_at: Timestamp | null;
  /**
   * When it began; for a run that never began, when it would have.
   */
  happened_at: Timestamp | null;
  /**
   * Kind of work.
   */
  job: string | null;
  /**
   * The nominal fire in the zone of the schedule.
   */
  local_time: string | null;
  /**
   * Its outcome in one line: the error, the job's note, or why it was skipped or missed.
   */
  message: string | null;
  /**
   * From 0 to 1 while it is running.
   */
  progress: number | null;
  /**
   * Who asked for it, skipped it or cancelled it.
   */
  requested_by: string | null;
  /**
   * Why, as that person said.
   */
  requested_reason: string | null;
  /**
   * The run it repeats.
   */
  rerun_of: string | null;
  /**
   * Rows written to the target.
   */
  rows: number | null;
  /**
   * Rows read from the source.
   */
  rows_read: number | null;
  /**
   * Rows refused; they stand in dba.reject.
   */
  rows_rejected: number | null;
  /**
   * The run: repeat it with select dba.rerun(run_id).
   */
  run_id: string | null;
  /**
   * The schedule, as it was named then.
   */
  schedule_name: string | null;
  /**
   * The nominal fire.
   */
  scheduled_for: Timestamp | null;
  /**
   * When its first attempt began.
   */
  started_at: Timestamp | null;
  /**
   * running, succeeded, failed, cancelled, skipped or missed.
   */
  state: string | null;
  /**
   * Why it fired: cron, request, file, notify, after, catch_up, always, api.
   */
  trigger: string | null;
  /**
   * The worker that has it, or had it last.
   */
  worker: string | null;
}

export interface DbaReject {
  /**
   * Column that was refused.
   */
  column_name: string | null;
  /**
   * When it was refused.
   */
  created_at: Generated<Timestamp>;
  /**
   * The dataset it is missing from.
   */
  dataset_id: number | null;
  /**
   * The file it stands in.
   */
  file_id: number | null;
  /**
   * The corrected row, as a person wrote it.
   */
  fixed: Json | null;
  /**
   * Line of the file, from 1.
   */
  line: number | null;
  /**
   * What is wrong, in words.
   */
  message: string;
  /**
   * The row as it came.
   */
  raw: Json;
  /**
   * Number of the refusal.
   */
  reject_id: Generated<number>;
  /**
   * Rule it broke.
   */
  rule: string;
  /**
   * The run that met it.
   */
  run_id: string | null;
  /**
   * Sheet of the workbook.
   */
  sheet: string | null;
  /**
   * open, retry, loaded or dismissed.
   */
  state: Generated<string>;
  /**
   * Value that was refused.
   */
  value: string | null;
}

export interface DbaRun {
  /**
   * Overrides in force; Rota adds file, payload, as_of.
   */
  args: Generated<Json>;
  /**
   * Attempts begun so far.
   */
  attempt: Generated<number>;
  /**
   * Bytes read from the source.
   */
  bytes_read: number | null;
  /**
   * Set it to true to stop the run; ends its retries too.
   */
  cancel_requested: Generated<boolean>;
  /**
   * The run before it in a chain.
   */
  caused_by: string | null;
  /**
   * Row of the settings table as it was named.
   */
  config_name: string | null;
  /**
   * Version of the config that the run was queued with; see dba.configaudit.
   */
  config_version: number | null;
  /**
   * When it may start: moved by a holiday, a retry, a hold.
   */
  due_at: Timestamp;
  /**
   * Stable word for the last attempt's error.
   */
  error_code: string | null;
  /**
   * What was seen.
   */
  error_detail: string | null;
  /**
   * What to do.
   */
  error_hint: string | null;
  /**
   * The last attempt's error in one clause.
   */
  error_message: string | null;
  /**
   * Files it dealt with.
   */
  files: number | null;
  /**
   * When it ended.
   */
  finished_at: Timestamp | null;
  /**
   * Identity of the fire: the nominal instant, the file, the upstream runs, a uuid for a request. Unique per schedule, so a fire runs once.
   */
  fire_key: string;
  /**
   * Last sign of life of its worker.
   */
  heartbeat_at: Timestamp | null;
  /**
   * Kind of work.
   */
  job: string;
  /**
   * Stream of work; frozen when it was queued.
   */
  lane: string | null;
  /**
   * The fire as a person reads it, in the schedule's zone.
   */
  local_time: string | null;
  /**
   * Attempts at most; frozen when it was queued.
   */
  max_attempts: number | null;
  /**
   * How many fires it stands for.
   */
  missed_count: number | null;
  /**
   * First fire of a long outage that this one row stands for.
   */
  missed_from: Timestamp | null;
  /**
   * Last fire of it.
   */
  missed_until: Timestamp | null;
  /**
   * Its outcome in a sentence.
   */
  note: string | null;
  /**
   * Rule towards other runs of the schedule; frozen when it was queued.
   */
  overlap: string | null;
  /**
   * Higher starts first; frozen when it was queued.
   */
  priority: number | null;
  /**
   * From 0 to 1, at most once a second.
   */
  progress: number | null;
  /**
   * What it is doing.
   */
  progress_note: string | null;
  /**
   * When it was handed to the queue.
   */
  queued_at: Timestamp | null;
  /**
   * In words: why it waits, was skipped or missed, or runs although it is late.
   */
  reason: string | null;
  /**
   * Who asked for it, skipped it or cancelled it.
   */
  requested_by: string | null;
  /**
   * Why, as that person said.
   */
  requested_reason: string | null;
  /**
   * The run it repeats.
   */
  rerun_of: string | null;
  /**
   * What it holds alone while it is open; frozen when it was queued.
   */
  resource: string | null;
  /**
   * Further facts of the job, a JSON object.
   */
  result: Json | null;
  /**
   * Each further wait is so many times longer; frozen when it was queued.
   */
  retry_backoff: Numeric | null;
  /**
   * Wait before the second attempt; frozen when it was queued.
   */
  retry_delay: string | null;
  /**
   * Rows read from the source.
   */
  rows_read: number | null;
  /**
   * Rows refused, kept in dba.reject.
   */
  rows_rejected: number | null;
  /**
   * Rows written to the target.
   */
  rows_written: number | null;
  /**
   * Key of the run; stands in every log line.
   */
  run_id: Generated<string>;
  /**
   * The schedule. History stays readable when the schedule is gone.
   */
  schedule_id: number;
  /**
   * Name of the schedule as it was.
   */
  schedule_name: string;
  /**
   * The nominal fire.
   */
  scheduled_for: Generated<Timestamp>;
  /**
   * When its first attempt began.
   */
  started_at: Timestamp | null;
  /**
   * planned, waiting (reason says for what), queued, running, then succeeded, failed or cancelled; or skipped or missed, which never started.
   */
  state: Generated<string>;
  /**
   * Limit of one attempt; frozen when it was queued. Null for @always.
   */
  timeout: string | null;
  /**
   * Why it fires: cron, request, file, notify, after, catch_up, always, api.
   */
  trigger: Generated<string>;
  /**
   * For run_after: per upstream schedule_id the run that was used and its end.
   */
  upstream: Json | null;
  /**
   * While it waits: lane (paused), run (another of its schedule), resource, job (max_running) or retry.
   */
  waits_for: string | null;
  /**
   * The worker that has it, or had it last.
   */
  worker: string | null;
}

export interface DbaRunLog {
  /**
   * The attempt.
   */
  attempt: number | null;
  /**
   * Facts to it, a JSON object.
   */
  data: Json | null;
  /**
   * debug, info, warning or error.
   */
  level: string | null;
  /**
   * Order of writing.
   */
  log_id: number | null;
  /**
   * When it was said.
   */
  logged_at: Timestamp | null;
  /**
   * What happened.
   */
  message: string | null;
  /**
   * The run.
   */
  run_id: string | null;
  /**
   * How the run stands now.
   */
  run_state: string | null;
  /**
   * The schedule; null: the worker itself speaks, or the run is gone.
   */
  schedule_name: string | null;
  /**
   * Step of the job: the file, the page, the statement.
   */
  step: string | null;
  /**
   * Seconds since the line before it.
   */
  step_seconds: number | null;
  /**
   * Seconds since the attempt began.
   */
  total_seconds: number | null;
}

export interface DbaScheduleHealth {
  /**
   * Row of the job's settings table.
   */
  config_name: string | null;
  /**
   * With due_by: not yet due, met, met late, late or free day.
   */
  due_by_state: string | null;
  /**
   * Failed runs since then; 1000 stands for any number above.
   */
  failure_streak: number | null;
  /**
   * False: it does not fire.
   */
  is_active: boolean | null;
  /**
   * True: a run has been due for more than a minute and has not begun.
   */
  is_overdue: boolean | null;
  /**
   * Kind of work.
   */
  job: string | null;
  /**
   * Stream of work.
   */
  lane: string | null;
  /**
   * What came of it, in one line.
   */
  last_message: string | null;
  /**
   * When that was.
   */
  last_run_at: Timestamp | null;
  /**
   * Its latest run.
   */
  last_run_id: string | null;
  /**
   * How its latest run ended: succeeded, failed, cancelled, skipped or missed; null: it has had none.
   */
  last_state: string | null;
  /**
   * When a run last succeeded.
   */
  last_success_at: Timestamp | null;
  /**
   * How long after its time the latest run began; for an overdue one, how long it has been due.
   */
  lateness: string | null;
  /**
   * When it is due next.
   */
  next_fire_at: Timestamp | null;
  /**
   * Who answers for it.
   */
  owner: string | null;
  /**
   * All but one in twenty of them were shorter.
   */
  p95_duration: string | null;
  /**
   * Until then it is paused; infinity: until select dba.resume('…').
   */
  paused_until: Timestamp | null;
  /**
   * When the run that is going on began; null: none is.
   */
  running_since: Timestamp | null;
  /**
   * Number of the schedule.
   */
  schedule_id: number | null;
  /**
   * The schedule.
   */
  schedule_name: string | null;
  /**
   * Median of its last 20 successes.
   */
  usual_duration: string | null;
}

export interface DbaScheduler {
  /**
   * When somebody is told: failed, missed, recovered, late, slow, empty.
   */
  alert_on: Generated<string[]>;
  /**
   * Who is told; null: dba.setting.alert_to.
   */
  alert_to: string[] | null;
  /**
   * Overrides for this schedule, a JSON object: keys are columns of the settings table, or what dba.job.args_allowed lists.
   */
  args: Generated<Json>;
  /**
   * Working days it keeps to: a row of dba.calendar. Null: every day.
   */
  calendar: string | null;
  /**
   * Which fires missed in an outage still run: last (default), skip (none) or all.
   */
  catch_up: Generated<string>;
  /**
   * What the worker found: "3 files match now", or what is missing and the SQL that mends it. Answered by Rota.
   */
  config_message: string | null;
  /**
   * Row of the job's settings table (dba.<job>config); null for a job that needs none.
   */
  config_name: string | null;
  /**
   * ok, invalid, or unchecked until a worker has looked. Answered by Rota.
   */
  config_state: Generated<string>;
  /**
   * When the row was inserted. Kept by Rota.
   */
  created_at: Generated<Timestamp>;
  /**
   * Who inserted it. Kept by Rota.
   */
  created_by: Generated<string>;
  /**
   * Five fields (minute hour day month weekday), or six with seconds first: 20 6 * * MON-FRI. Also @hourly @daily @weekly @monthly, @every 90s, @always. Try one: select dba.check_cron('20 6 * * *').
   */
  cron: string | null;
  /**
   * What it is for.
   */
  description: string | null;
  /**
   * A fixed hour that exists twice when clocks go back: first (default), last or both.
   */
  dst_fold: Generated<string>;
  /**
   * A fixed hour that does not exist when clocks go forward: shift (default, an hour later) or skip.
   */
  dst_gap: Generated<string>;
  /**
   * Local times by which a run that moved something must have succeeded: {09:00}.
   */
  due_by: string[] | null;
  /**
   * The row in words. Answered by a worker within a second.
   */
  explained: string | null;
  /**
   * Set when another row made this one (a report's cron): change it there.
   */
  generated_by: string | null;
  /**
   * False: it does not fire; requests still run.
   */
  is_active: Generated<boolean>;
  /**
   * Kind of work: a row of dba.job.
   */
  job: string;
  /**
   * Stream of work, a row of dba.lane: decides which workers may run it.
   */
  lane: Generated<string>;
  /**
   * Tries of one run, the first included. An error that a retry cannot mend ends the run at once.
   */
  max_attempts: Generated<number>;
  /**
   * At most so many missed fires are caught up; older ones become one row.
   */
  max_catch_up: Generated<number>;
  /**
   * A missed fire older than this is not caught up.
   */
  max_late: Generated<string>;
  /**
   * Next fire. Answered by Rota.
   */
  next_fire_at: Timestamp | null;
  /**
   * The next five fires in local time. Answered by Rota at the write.
   */
  next_fires: string[] | null;
  /**
   * Glob to wait for: inbox/prices/*.xlsx. One run per file, once it has stopped changing. Relative paths begin in the data folder.
   */
  on_file: string | null;
  /**
   * What a fire on a free day does: skip (default), run, previous (the working day before) or next.
   */
  on_holiday: Generated<string>;
  /**
   * Channel: each NOTIFY channel, 'payload' makes one run with that payload in its args.
   */
  on_notify: string | null;
  /**
   * What a fire does when the previous run is still open: skip (default), queue, cancel (the old one) or allow. Files, notifications, ends of upstreams and requests are never skipped: they wait.
   */
  overlap: Generated<string>;
  /**
   * Who answers for it.
   */
  owner: string | null;
  /**
   * Why it is paused; stands in every skipped run.
   */
  pause_reason: string | null;
  /**
   * Who set paused_until. Kept by Rota.
   */
  paused_by: string | null;
  /**
   * Until then fires are skipped with the reason, never caught up; infinity: until somebody resumes it.
   */
  paused_until: Timestamp | null;
  /**
   * Higher starts first when workers are busy.
   */
  priority: Generated<number>;
  /**
   * Runs that name the same resource never overlap, whatever their schedule: erp_database.
   */
  resource: string | null;
  /**
   * Each further wait is this many times longer.
   */
  retry_backoff: Generated<Numeric>;
  /**
   * Wait before the second attempt.
   */
  retry_delay: Generated<string>;
  /**
   * Names of schedules: runs when all of them have ended (run_after_state) since its own last run.
   */
  run_after: string[] | null;
  /**
   * succeeded (default), failed or finished (either).
   */
  run_after_state: Generated<string>;
  /**
   * Number of the schedule; given by Postgres.
   */
  schedule_id: Generated<number>;
  /**
   * Its name, unique; a rename takes every reference along.
   */
  schedule_name: string;
  /**
   * IANA name the cron is read in, a row of dba.timezone. Default: dba.setting.time_zone.
   */
  time_zone: Generated<string>;
  /**
   * Limit of one attempt; then it is ended with the code timed_out.
   */
  timeout: Generated<string>;
  /**
   * When a person last changed it. Kept by Rota.
   */
  updated_at: Generated<Timestamp>;
  /**
   * Who changed it. Kept by Rota.
   */
  updated_by: Generated<string>;
  /**
   * Counted up by every change of a person. Kept by Rota.
   */
  version: Generated<number>;
}

export interface DbaSecret {
  /**
   * AES-256-GCM: version byte, salt, nonce, tag, text. The key never stands in the database.
   */
  sealed: Buffer;
  /**
   * Its name.
   */
  secret_name: string;
  /**
   * When it was last set.
   */
  updated_at: Generated<Timestamp>;
  /**
   * Who set it.
   */
  updated_by: Generated<string>;
}

export interface DbaSetting {
  /**
   * What it does and what may stand there.
   */
  description: string;
  /**
   * Fixed name of the setting.
   */
  name: string;
  /**
   * When it was last changed.
   */
  updated_at: Generated<Timestamp>;
  /**
   * Who changed it.
   */
  updated_by: Generated<string>;
  /**
   * Its value as text; null means: not set.
   */
  value: string | null;
}

export interface DbaTimezone {
  /**
   * IANA name, for example Europe/Warsaw.
   */
  time_zone: string;
}

export interface DbaWorker {
  /**
   * Last sign of life, every few seconds.
   */
  heartbeat_at: Generated<Timestamp>;
  /**
   * Machine it runs on.
   */
  host: string;
  /**
   * Lanes it takes work from (ROTA_LANES).
   */
  lanes: string[];
  /**
   * Names one boot of one machine (or container): there its neighbours can see at once whether its process lives.
   */
  machine: string | null;
  /**
   * What it has to say about its state.
   */
  message: string | null;
  /**
   * Process number there.
   */
  pid: number;
  /**
   * When it started.
   */
  started_at: Generated<Timestamp>;
  /**
   * running, draining (stopping, takes no more runs), stopped, lost (no sign of life), outdated (older than the schema: takes no runs), still (this database is a copy: takes no runs).
   */
  state: Generated<string>;
  /**
   * When it stopped, or was found dead.
   */
  stopped_at: Timestamp | null;
  /**
   * Version of Rota it runs.
   */
  version: string;
  /**
   * Its name: host, pid and a random suffix.
   */
  worker: string;
}

export interface DB {
  "dba.alert": DbaAlert;
  "dba.attempt": DbaAttempt;
  "dba.bookmark": DbaBookmark;
  "dba.bookmarkhistory": DbaBookmarkhistory;
  "dba.calendar": DbaCalendar;
  "dba.calendarday": DbaCalendarday;
  "dba.configaudit": DbaConfigaudit;
  "dba.connection": DbaConnection;
  "dba.dataset": DbaDataset;
  "dba.datasettype": DbaDatasettype;
  "dba.datasource": DbaDatasource;
  "dba.file": DbaFile;
  "dba.importconfig": DbaImportconfig;
  "dba.job": DbaJob;
  "dba.jobconfig": DbaJobconfig;
  "dba.lane": DbaLane;
  "dba.logentry": DbaLogentry;
  "dba.migration": DbaMigration;
  "dba.next_run": DbaNextRun;
  "dba.outbox": DbaOutbox;
  "dba.plan": DbaPlan;
  "dba.problem": DbaProblem;
  "dba.recent_run": DbaRecentRun;
  "dba.reject": DbaReject;
  "dba.run": DbaRun;
  "dba.run_log": DbaRunLog;
  "dba.schedule_health": DbaScheduleHealth;
  "dba.scheduler": DbaScheduler;
  "dba.secret": DbaSecret;
  "dba.setting": DbaSetting;
  "dba.timezone": DbaTimezone;
  "dba.worker": DbaWorker;
}

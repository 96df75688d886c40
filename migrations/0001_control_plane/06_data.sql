-- How far jobs got and what they brought: bookmarks, datasets, files, rejects and alerts.

create table dba.bookmark (
  job            text         not null,
  config_name    text         not null,
  bookmark_name  text         not null default 'position',
  value          jsonb        not null,
  run_id         uuid,
  reason         text,
  moved_at       timestamptz  not null default clock_timestamp(),
  moved_by       text         not null default session_user,
  primary key (job, config_name, bookmark_name)
);
comment on table dba.bookmark is 'How far a job got. A job moves it in the transaction of its data; people may rewind it: update … set value = …, reason = ''…''.';
comment on column dba.bookmark.job is 'The job.';
comment on column dba.bookmark.config_name is 'Row of its settings table.';
comment on column dba.bookmark.bookmark_name is 'Which position, where a job keeps several.';
comment on column dba.bookmark.value is 'The position, as the job writes it.';
comment on column dba.bookmark.run_id is 'The run that moved it; null: a person.';
comment on column dba.bookmark.reason is 'Why it was moved by hand; people must say it.';
comment on column dba.bookmark.moved_at is 'When it was moved.';
comment on column dba.bookmark.moved_by is 'Who moved it.';

create table dba.bookmarkhistory (
  history_id     bigint       primary key generated always as identity,
  job            text         not null,
  config_name    text         not null,
  bookmark_name  text         not null,
  value          jsonb,
  former_value   jsonb,
  run_id         uuid,
  reason         text,
  moved_at       timestamptz  not null,
  moved_by       text         not null
);
comment on table dba.bookmarkhistory is 'Every move of every bookmark.';
comment on column dba.bookmarkhistory.history_id is 'Order of the moves.';
comment on column dba.bookmarkhistory.job is 'The job.';
comment on column dba.bookmarkhistory.config_name is 'Row of its settings table.';
comment on column dba.bookmarkhistory.bookmark_name is 'Which position.';
comment on column dba.bookmarkhistory.value is 'Position after the move; null: deleted.';
comment on column dba.bookmarkhistory.former_value is 'Position before it; null: there was none.';
comment on column dba.bookmarkhistory.run_id is 'The run that moved it; null: a person.';
comment on column dba.bookmarkhistory.reason is 'Why.';
comment on column dba.bookmarkhistory.moved_at is 'When.';
comment on column dba.bookmarkhistory.moved_by is 'Who.';
create index bookmarkhistory_by_bookmark on dba.bookmarkhistory (job, config_name, bookmark_name, history_id desc);

create table dba.datasource (
  datasource   text         primary key,
  description  text,
  created_at   timestamptz  not null default clock_timestamp(),
  created_by   text         not null default session_user
);
comment on table dba.datasource is 'Where data comes from, by name. Registered when a config names a new one.';
comment on column dba.datasource.datasource is 'Its name.';
comment on column dba.datasource.description is 'Who sends it.';
comment on column dba.datasource.created_at is 'When it was registered.';
comment on column dba.datasource.created_by is 'Who registered it.';

create table dba.datasettype (
  datasettype  text         primary key,
  description  text,
  created_at   timestamptz  not null default clock_timestamp(),
  created_by   text         not null default session_user
);
comment on table dba.datasettype is 'Kinds of datasets, by name. Registered when a config names a new one.';
comment on column dba.datasettype.datasettype is 'Its name.';
comment on column dba.datasettype.description is 'What such a dataset holds.';
comment on column dba.datasettype.created_at is 'When it was registered.';
comment on column dba.datasettype.created_by is 'Who registered it.';
insert into dba.datasettype (datasettype, description) values ('file', 'One imported file.');

create table dba.file (
  file_id      bigint       primary key generated always as identity,
  origin       text         not null default 'folder',
  job          text         not null default 'import',
  config_name  text,
  file_name    text         not null,
  path         text         not null,
  size_bytes   bigint       not null,
  sha256       text,
  modified_at  timestamptz,
  state        text         not null,
  reason       text,
  run_id       uuid,
  dataset_id   bigint,
  kept_path    text,
  csv_paths    text[],
  seen_at      timestamptz  not null default clock_timestamp(),
  updated_at   timestamptz  not null default clock_timestamp(),
  constraint origin_is_folder_mail_page_or_sftp check (origin in ('folder', 'mail', 'page', 'sftp')),
  constraint file_state_is_a_known_word check (state in ('stored', 'waiting', 'loading', 'loaded', 'duplicate', 'failed', 'quarantined', 'retry', 'dismissed'))
);
comment on table dba.file is 'The file ledger: every file that Rota has met, with its bytes'' hash and what became of it. Set state = ''retry'' to load the kept bytes again, ''dismissed'' to close a failure.';
comment on column dba.file.file_id is 'Number of the file.';
comment on column dba.file.origin is 'folder, mail, page or sftp.';
comment on column dba.file.job is 'The job that took it.';
comment on column dba.file.config_name is 'Row of that job''s settings table.';
comment on column dba.file.file_name is 'Name it came with.';
comment on column dba.file.path is 'Where it was found.';
comment on column dba.file.size_bytes is 'Its size.';
comment on column dba.file.sha256 is 'Hash of its bytes, hexadecimal; the same bytes are not loaded twice.';
comment on column dba.file.modified_at is 'When it was last written to, where it was found.';
comment on column dba.file.state is 'stored (kept, not for loading), waiting (for a proposed change: dba.columnproposal), loading, loaded, duplicate, failed, quarantined; people set retry or dismissed.';
comment on column dba.file.reason is 'In words: why it failed, or of which file it is a duplicate.';
comment on column dba.file.run_id is 'The run that dealt with it last.';
comment on column dba.file.dataset_id is 'The dataset it became.';
comment on column dba.file.kept_path is 'Where its bytes are kept now: archive or failed folder.';
comment on column dba.file.csv_paths is 'The CSVs it became, one per sheet, where keep_csv asked for them: beside kept_path.';
comment on column dba.file.seen_at is 'When Rota first met it.';
comment on column dba.file.updated_at is 'When this row last changed.';
comment on constraint origin_is_folder_mail_page_or_sftp on dba.file is 'Set by Rota.';
comment on constraint file_state_is_a_known_word on dba.file is 'People set retry (load the kept bytes again) or dismissed.';
create index file_by_bytes on dba.file (size_bytes, sha256);
create index file_by_state on dba.file (job, config_name, state) where state in ('waiting', 'loading', 'retry', 'failed', 'quarantined');
create index file_by_retry on dba.file (job, config_name) where state = 'retry';
create index file_by_run on dba.file (run_id);

create table dba.dataset (
  dataset_id     bigint       primary key generated always as identity,
  label          text         not null,
  dataset_date   date         not null,
  datasettype    text         not null references dba.datasettype (datasettype) on update cascade on delete restrict,
  datasource     text         not null references dba.datasource (datasource) on update cascade on delete restrict,
  state          text         not null default 'new',
  valid_from     timestamptz,
  valid_to       timestamptz,
  run_id         uuid,
  file_id        bigint       references dba.file (file_id) on delete set null,
  job            text         not null default 'import',
  config_name    text,
  target_table   text,
  rows_read      bigint       not null default 0,
  rows_written   bigint       not null default 0,
  rows_rejected  bigint       not null default 0,
  reason         text,
  created_at     timestamptz  not null default clock_timestamp(),
  constraint dataset_state_is_a_known_word check (state in ('new', 'active', 'superseded', 'empty', 'failed', 'quarantined', 'deleted')),
  constraint validity_does_not_end_before_it_begins check (valid_to is null or valid_from is null or valid_to >= valid_from)
);
comment on table dba.dataset is 'One row per load: which file, of what label and date, became which rows. Set state = ''deleted'' to take its rows out of the target, ''active'' to release a quarantined one.';
comment on column dba.dataset.dataset_id is 'Number that the rows of the target carry.';
comment on column dba.dataset.label is 'What it is about: event id, site, the file''s name.';
comment on column dba.dataset.dataset_date is 'Business date.';
comment on column dba.dataset.datasettype is 'Kind of dataset.';
comment on column dba.dataset.datasource is 'Where it comes from.';
comment on column dba.dataset.state is 'new, active, superseded, empty, failed, quarantined, deleted.';
comment on column dba.dataset.valid_from is 'Since when it is the one in force.';
comment on column dba.dataset.valid_to is 'Until when it was; null: still.';
comment on column dba.dataset.run_id is 'The run that made it.';
comment on column dba.dataset.file_id is 'The file it came from.';
comment on column dba.dataset.job is 'The job that made it.';
comment on column dba.dataset.config_name is 'Row of that job''s settings table.';
comment on column dba.dataset.target_table is 'Table its rows went to, as schema.table.';
comment on column dba.dataset.rows_read is 'Rows read.';
comment on column dba.dataset.rows_written is 'Rows written.';
comment on column dba.dataset.rows_rejected is 'Rows refused.';
comment on column dba.dataset.reason is 'Why it is empty, failed or quarantined.';
comment on column dba.dataset.created_at is 'When the load began.';
comment on constraint dataset_state_is_a_known_word on dba.dataset is 'People set active (release) or deleted (its rows leave the target).';
comment on constraint validity_does_not_end_before_it_begins on dba.dataset is 'Set by Rota.';
comment on constraint dataset_datasettype_fkey on dba.dataset is 'Registered by Rota.';
comment on constraint dataset_datasource_fkey on dba.dataset is 'Registered by Rota.';
comment on constraint dataset_file_id_fkey on dba.dataset is 'Set by Rota.';
create index dataset_by_label on dba.dataset (datasource, datasettype, label, dataset_date) where state = 'active';
create index dataset_by_run on dba.dataset (run_id);

create table dba.reject (
  reject_id    bigint       primary key generated always as identity,
  run_id       uuid,
  file_id      bigint       references dba.file (file_id) on delete cascade,
  dataset_id   bigint       references dba.dataset (dataset_id) on delete set null,
  sheet        text,
  line         bigint,
  raw          jsonb        not null,
  column_name  text,
  value        text,
  rule         text         not null,
  message      text         not null,
  state        text         not null default 'open',
  fixed        jsonb,
  decided_at   timestamptz,
  decided_by   text,
  created_at   timestamptz  not null default clock_timestamp(),
  constraint reject_state_is_a_known_word check (state in ('open', 'retry', 'loaded', 'dismissed'))
);
comment on table dba.reject is 'Rows that were refused. Put the corrected values into fixed and set state = ''retry'', or ''dismissed''. Where the file was loaded, the row joins its dataset within seconds; where it failed as a whole, set the file to retry when its rows are corrected. The same error in many rows is one row of dba.reject_group.';
comment on column dba.reject.reject_id is 'Number of the refusal.';
comment on column dba.reject.run_id is 'The run that met it.';
comment on column dba.reject.file_id is 'The file it stands in.';
comment on column dba.reject.dataset_id is 'The dataset it is missing from.';
comment on column dba.reject.sheet is 'Sheet of the workbook.';
comment on column dba.reject.line is 'Line of the file, from 1.';
comment on column dba.reject.raw is 'The row as it came, by column name of the file.';
comment on column dba.reject.column_name is 'Column that was refused.';
comment on column dba.reject.value is 'Value that was refused.';
comment on column dba.reject.rule is 'Rule it broke.';
comment on column dba.reject.message is 'What is wrong, in words.';
comment on column dba.reject.state is 'open, retry, loaded or dismissed.';
comment on column dba.reject.fixed is 'The corrected values, as a person writes them: {"Price": "12.50"}. Its keys are keys of raw, over which it is laid; fixed = raw tries the row as it came.';
comment on column dba.reject.decided_at is 'When a person last set state or fixed. Kept by Rota.';
comment on column dba.reject.decided_by is 'Who did. Kept by Rota.';
comment on column dba.reject.created_at is 'When it was refused.';
comment on constraint reject_state_is_a_known_word on dba.reject is 'People set retry (with fixed filled) or dismissed.';
comment on constraint reject_file_id_fkey on dba.reject is 'Set by Rota.';
comment on constraint reject_dataset_id_fkey on dba.reject is 'Set by Rota.';
create index reject_by_file on dba.reject (file_id, state);
create index reject_by_retry on dba.reject (file_id) where state = 'retry';

create table dba.alert (
  alert_id         bigint       primary key generated always as identity,
  kind             text         not null,
  subject          text         not null,
  severity         text         not null default 'severe',
  state            text         not null default 'open',
  count            bigint       not null default 1,
  message          text,
  fix              text,
  why              text,
  opened_at        timestamptz  not null default clock_timestamp(),
  last_seen_at     timestamptz  not null default clock_timestamp(),
  closed_at        timestamptz,
  closed_reason    text,
  muted_until      timestamptz,
  assigned_to      text,
  acknowledged_by  text,
  acknowledged_at  timestamptz,
  owner            text,
  schedule_id      bigint,
  run_id           uuid,
  cause_at         timestamptz  not null default clock_timestamp(),
  told_at          timestamptz,
  constraint alert_state_is_a_known_word check (state in ('open', 'acknowledged', 'muted', 'recovered')),
  constraint alert_kind_is_a_known_word check (kind in
    ('failed', 'missed', 'late', 'absent', 'slow', 'small', 'empty', 'quarantined', 'worker_gone', 'connection', 'secret', 'disk', 'mail')),
  constraint alert_severity_is_a_known_word check (severity in ('severe', 'warning', 'info'))
);
comment on table dba.alert is 'One row per incident: the same trouble again counts up, it does not ring again. Set state = ''acknowledged'' (nobody is reminded), muted_until = ''tomorrow'' (nobody is told until then), assigned_to = ''ann@example.com''. Who was told of it: dba.alert_told.';
comment on column dba.alert.alert_id is 'Number of the incident.';
comment on column dba.alert.kind is 'failed, missed, late (nothing came by due_by), absent (no file or mail did), slow, small, empty, quarantined, worker_gone, connection, secret (it expires), disk (it fills up) or mail (it does not arrive).';
comment on column dba.alert.subject is 'Name of the schedule, config, lane, connection, secret or folder it is about.';
comment on column dba.alert.severity is 'severe (told at any hour), warning or info (told outside dba.setting.quiet_hours).';
comment on column dba.alert.state is 'open, acknowledged, muted or recovered.';
comment on column dba.alert.count is 'How often it happened.';
comment on column dba.alert.message is 'What is wrong, in words; of the latest time.';
comment on column dba.alert.fix is 'What to type, or to do.';
comment on column dba.alert.why is 'What dba.why_not says, where it is about a schedule.';
comment on column dba.alert.opened_at is 'When it began.';
comment on column dba.alert.last_seen_at is 'When it was last seen to be so.';
comment on column dba.alert.closed_at is 'When it recovered.';
comment on column dba.alert.closed_reason is 'Why it counts as recovered.';
comment on column dba.alert.muted_until is 'Nobody is told before: ''tomorrow'', ''2027-01-04 08:00'', infinity until it recovers. After that it is open again.';
comment on column dba.alert.assigned_to is 'Who sees to it: a name, or an address, which is told.';
comment on column dba.alert.acknowledged_by is 'Who acknowledged or muted it. Kept by Rota.';
comment on column dba.alert.acknowledged_at is 'When. Kept by Rota.';
comment on column dba.alert.owner is 'Who answers for what it is about.';
comment on column dba.alert.schedule_id is 'The schedule it is about, where there is one.';
comment on column dba.alert.run_id is 'The run that was last concerned.';
comment on column dba.alert.cause_at is 'When its cause last came anew.';
comment on column dba.alert.told_at is 'When people were last told that it is open; null: nobody has been.';
comment on constraint alert_state_is_a_known_word on dba.alert is 'Write acknowledged (nobody is reminded), muted (nobody is told, until muted_until) or open.';
comment on constraint alert_kind_is_a_known_word on dba.alert is 'Set by Rota.';
comment on constraint alert_severity_is_a_known_word on dba.alert is 'Set by Rota.';
create unique index one_open_alert_per_trouble on dba.alert (kind, subject) where state in ('open', 'acknowledged', 'muted');
comment on index dba.one_open_alert_per_trouble is 'Law: the same trouble is one incident.';
create index alert_by_schedule on dba.alert (schedule_id) where state <> 'recovered';
create index alert_by_close on dba.alert (closed_at) where state = 'recovered';

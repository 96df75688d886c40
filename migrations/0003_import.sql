-- Job import: its settings, and what the ledgers of files and datasets need for it.

insert into dba.job (job, description, config_table) values
  ('import', 'Loads the files of a folder (CSV, .xlsx, .xls, HTML tables named .xls) into a table, each file as one dataset.', 'importconfig');

create table dba.importconfig (
  config_name         text         primary key,
  is_active           boolean      not null default true,
  source_folder       text         not null,
  file_pattern        text         not null,
  pattern_kind        text         not null default 'glob',
  recurse             boolean      not null default false,
  order_by            text         not null default 'name',
  settle              interval     not null default '2 seconds',
  done_file           text,
  file_kind           text         not null default 'auto',
  sheet               text,
  cell_range          text,
  header_row          integer,
  header_rows         integer      not null default 1,
  delimiter           text,
  quote               text,
  encoding            text,
  name_rule           text         not null default 'legacy',
  target_table        text,
  keep_csv            boolean      not null default false,
  on_new_column       text         not null default 'add',
  on_missing_column   text         not null default 'null',
  load_mode           text         not null default 'append',
  key_columns         text[],
  on_duplicate_key    text         not null default 'fail',
  datasource          text,
  datasettype         text         not null default 'file',
  label_from          text         not null default 'filename',
  label_spec          text,
  date_from           text         not null default 'modified',
  date_spec           text,
  date_format         text         not null default 'yyyyMMdd',
  part_delimiter      text         not null default '_',
  source_zone         text         not null default 'UTC',
  empty_when          text,
  dataset_column      text         not null default 'dataset_id',
  max_rejects         integer      default 0,
  max_reject_percent  numeric,
  archive_folder      text,
  failed_folder       text,
  description         text,
  owner               text,
  created_at          timestamptz  not null default clock_timestamp(),
  created_by          text         not null default session_user,
  updated_at          timestamptz  not null default clock_timestamp(),
  updated_by          text         not null default session_user,
  version             integer      not null default 1,

  constraint config_name_is_not_blank check (btrim(config_name) <> ''),
  constraint source_folder_is_not_blank check (btrim(source_folder) <> ''),
  constraint folders_are_written_without_control_characters check (source_folder || coalesce(archive_folder, '') || coalesce(failed_folder, '') !~ '[[:cntrl:]]'),
  constraint pattern_kind_is_glob_or_regex check (pattern_kind in ('glob', 'regex')),
  constraint file_pattern_can_be_read check (case when pattern_kind = 'regex' then dba.check_regex(file_pattern, 'file_pattern') else dba.check_glob(file_pattern) end is not null),
  constraint file_pattern_names_files_not_folders check (pattern_kind = 'regex' or position('/' in file_pattern) = 0),
  constraint order_by_is_name_or_modified check (order_by in ('name', 'modified')),
  constraint settle_is_between_0_and_1_hour check (settle between '0' and '1 hour'),
  constraint done_file_is_a_name check (btrim(done_file) <> '' and done_file !~ '[/\\]'),
  constraint file_kind_is_known check (file_kind in ('auto', 'csv', 'xlsx', 'xls', 'ods', 'html', 'xml', 'json')),
  constraint sheet_is_not_blank check (btrim(sheet) <> ''),
  constraint header_row_counts_from_1 check (header_row >= 1),
  constraint header_rows_counts_from_1 check (header_rows >= 1),
  constraint delimiter_is_one_character check (char_length(delimiter) = 1 or delimiter = '\t'),
  constraint quote_is_one_character_or_none check (char_length(quote) <= 1),
  constraint name_rule_is_legacy_or_readable check (name_rule in ('legacy', 'readable')),
  constraint target_table_is_written_schema_dot_table check (target_table ~ '^[a-z_][a-z0-9_]*[.][a-z_][a-z0-9_]*$'),
  constraint target_table_is_in_a_schema_for_data check (target_table !~ '^(dba|pgboss|information_schema|pg_[a-z0-9_]*)[.]'),
  constraint schema_and_table_have_at_most_63_characters check (char_length(split_part(target_table, '.', 1)) <= 63 and char_length(split_part(target_table, '.', 2)) <= 63),
  constraint on_new_column_is_add_ignore_fail_extra_or_propose check (on_new_column in ('add', 'ignore', 'fail', 'extra', 'propose')),
  constraint on_missing_column_is_null_or_fail check (on_missing_column in ('null', 'fail')),
  constraint load_mode_is_known check (load_mode in ('append', 'replace', 'replace_dataset', 'upsert', 'append_new')),
  constraint on_duplicate_key_is_fail_last_or_first check (on_duplicate_key in ('fail', 'last', 'first')),
  constraint datasource_and_datasettype_are_not_blank check (btrim(datasource) <> '' and btrim(datasettype) <> ''),
  constraint label_from_is_known check (label_from in ('static', 'filename', 'folder', 'content')),
  constraint a_static_label_stands_in_label_spec check (label_from <> 'static' or btrim(coalesce(label_spec, '')) <> ''),
  constraint label_spec_can_be_read check (label_from = 'static' or dba.check_regex(label_spec, 'label_spec') is not null or label_spec is null),
  constraint date_from_is_known check (date_from in ('static', 'filename', 'content', 'modified', 'today')),
  constraint a_static_date_stands_in_date_spec check (date_from <> 'static' or btrim(coalesce(date_spec, '')) <> ''),
  constraint date_spec_can_be_read check (date_from <> 'filename' or dba.check_regex(date_spec, 'date_spec') is not null or date_spec is null),
  constraint date_format_holds_year_month_and_day check (
    date_format ~ '^(yyyy|yy|MMM|MM|M|dd|d|HH|H|hh|h|mm|ss|SSS|a|T|Z|''[^'']*''|[^A-Za-z''])+$'
    and date_format ~ 'yy' and date_format ~ 'M' and date_format ~ 'd'),
  constraint part_delimiter_is_not_empty check (part_delimiter <> ''),
  constraint empty_when_can_be_read check (dba.check_regex(empty_when, 'empty_when') is not null or empty_when is null),
  constraint regular_expressions_mean_the_same_everywhere check (
    concat_ws(' ', case when pattern_kind = 'regex' then file_pattern end, case when label_from <> 'static' then label_spec end, case when date_from = 'filename' then date_spec end, empty_when)
    !~ '\[\[[:.=]|\\[mMyYAZ]|\(\?(?!:|=|!|<=|<!)|(^| )\*\*\*'),
  constraint dataset_column_is_a_plain_name check (dataset_column ~ '^[a-z_][a-z0-9_]{0,62}$'),
  constraint max_rejects_is_not_negative check (max_rejects >= 0),
  constraint max_reject_percent_is_between_0_and_100 check (max_reject_percent between 0 and 100),
  constraint source_archive_and_failed_are_three_folders check (
    rtrim(archive_folder, '/') <> rtrim(source_folder, '/') and rtrim(failed_folder, '/') <> rtrim(source_folder, '/') and rtrim(archive_folder, '/') <> rtrim(failed_folder, '/')),
  constraint a_folder_that_recurses_holds_no_archive check (
    not recurse or not (starts_with(archive_folder, rtrim(source_folder, '/') || '/') or starts_with(failed_folder, rtrim(source_folder, '/') || '/'))),

  -- What a later version does is refused until then, never passed over.
  constraint rows_go_to_a_table_in_this_version check (target_table is not null),
  constraint keep_csv_is_off_in_this_version check (not keep_csv),
  constraint file_kind_is_not_ods_xml_or_json_in_this_version check (file_kind not in ('ods', 'xml', 'json')),
  constraint one_sheet_is_read_in_this_version check (sheet <> '*'),
  constraint the_whole_sheet_is_read_in_this_version check (cell_range is null),
  constraint the_header_is_one_row_in_this_version check (header_rows = 1),
  constraint on_new_column_is_add_ignore_or_fail_in_this_version check (on_new_column not in ('extra', 'propose')),
  constraint load_mode_is_append_or_replace_dataset_in_this_version check (load_mode in ('append', 'replace_dataset')),
  constraint rows_have_no_key_in_this_version check (key_columns is null and on_duplicate_key = 'fail'),
  constraint label_and_date_are_not_read_from_content_in_this_version check (label_from <> 'content' and date_from <> 'content'),
  constraint no_row_may_be_rejected_in_this_version check (max_rejects = 0 and max_rejects is not null and max_reject_percent is null)
);

comment on table dba.importconfig is 'Settings of job import. Least: insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values (''prices'', ''inbox/prices'', ''*.xlsx'', ''feeds.price'');';
comment on column dba.importconfig.config_name is 'Its name; dba.scheduler.config_name refers to it.';
comment on column dba.importconfig.is_active is 'False: fires of its schedules are skipped.';
comment on column dba.importconfig.source_folder is 'Where the files arrive: absolute, or relative to the data folder: inbox/prices. It must exist; a run fails when it is missing.';
comment on column dba.importconfig.file_pattern is 'Which names, the whole name: *.xlsx, prices_{eu,us}_*.csv; a regular expression when pattern_kind says so. Hidden and unfinished names (.x, ~$x.xlsx, x.part, x.tmp) are left alone.';
comment on column dba.importconfig.pattern_kind is 'glob (default) or regex.';
comment on column dba.importconfig.recurse is 'True: also the folders below.';
comment on column dba.importconfig.order_by is 'Which file first: by name (default) or modified (oldest first).';
comment on column dba.importconfig.settle is 'A file is taken when it has not changed for so long: 2 seconds. Not used with done_file.';
comment on column dba.importconfig.done_file is 'A file is taken when this one stands beside it: {name}.done, {stem}.ok, or .done for the same as {name}.done. Null: settle decides. It is removed when its file has been dealt with.';
comment on column dba.importconfig.file_kind is 'auto (default: told by the bytes, whatever the name ends in), csv, xlsx, xls or html.';
comment on column dba.importconfig.sheet is 'Sheet by name, or its number from 1; of an HTML page the number of the table. Null: the first visible sheet, the largest table.';
comment on column dba.importconfig.cell_range is 'Part of the sheet, as B3:H200. Not in this version.';
comment on column dba.importconfig.header_row is 'Row that holds the column names, counted from 1. Null: Rota finds it.';
comment on column dba.importconfig.header_rows is 'Rows that the column names take up. In this version 1.';
comment on column dba.importconfig.delimiter is 'Of a CSV: one character, or \t for a tab. Null: detected among , ; tab and |.';
comment on column dba.importconfig.quote is 'Of a CSV: one character; empty text for none. Null: ".';
comment on column dba.importconfig.encoding is 'Of a CSV or HTML page: windows-1252, utf-16le … Null: by byte order mark, else UTF-8.';
comment on column dba.importconfig.name_rule is 'How headers become column names: legacy (default: lower case, blanks and dashes to _, all else stays) or readable (words joined by _: "% Change" becomes percent_change).';
comment on column dba.importconfig.target_table is 'Where the rows go, as schema.table: feeds.price. Schema and table are made when missing and on_new_column is add.';
comment on column dba.importconfig.keep_csv is 'Keeps the CSV that a spreadsheet became beside the archived original. Not in this version.';
comment on column dba.importconfig.on_new_column is 'A column in the file that the target lacks: add (default: text column added), ignore, fail. The predecessor''s strategies 1, 2, 3 are add/null, ignore/null, ignore/fail (on_new_column/on_missing_column).';
comment on column dba.importconfig.on_missing_column is 'A column of the target that the file lacks: null (default) or fail. Whatever stands here: a file in which fewer than half of the target''s columns are found fails with header_not_recognised.';
comment on column dba.importconfig.load_mode is 'append (default) or replace_dataset: the rows of the former dataset of the same source, type, label and date leave in the same transaction.';
comment on column dba.importconfig.key_columns is 'Columns that name a row, for upsert and append_new. Not in this version.';
comment on column dba.importconfig.on_duplicate_key is 'Same key twice in a file: fail, last or first. In this version fail.';
comment on column dba.importconfig.datasource is 'Where the data comes from; registered in dba.datasource when new. Null: the config''s name, filled in at the INSERT.';
comment on column dba.importconfig.datasettype is 'Kind of dataset; registered in dba.datasettype when new.';
comment on column dba.importconfig.label_from is 'What the dataset is about, taken from: filename (default), folder, or static text in label_spec.';
comment on column dba.importconfig.label_spec is 'For filename and folder: null the whole name (without extension), digits the part of that number from 0, else a regular expression whose first group is taken. For static: the label.';
comment on column dba.importconfig.date_from is 'Business date, taken from: modified (default: when the file was last written to), filename, today, or static text in date_spec.';
comment on column dba.importconfig.date_spec is 'For filename: null the whole name (without extension), digits the part of that number from 0, else a regular expression whose first group is taken. For static: the date, written as date_format says.';
comment on column dba.importconfig.date_format is 'How filename and static dates are written: yyyy yy MMM (Jan) MM M dd d HH H hh h mm ss SSS a (AM), all else as it stands: yyyyMMddTHHmmss, dd.MM.yyyy. A file whose date cannot be read fails.';
comment on column dba.importconfig.part_delimiter is 'Splits the file name without extension into parts (a folder''s path into parts at /): _. The predecessor''s delimiter.';
comment on column dba.importconfig.source_zone is 'Time zone for modified and today, and of times in the file: an IANA name.';
comment on column dba.importconfig.empty_when is 'Regular expression: when a value in the first column matches, the file is archived as an empty dataset that supersedes nothing: Invalid Event ID.';
comment on column dba.importconfig.dataset_column is 'The target''s column that refers to dba.dataset. Where the target has datasetid instead, that is taken.';
comment on column dba.importconfig.max_rejects is 'Rows that may be refused before the file fails. In this version 0.';
comment on column dba.importconfig.max_reject_percent is 'Share of rows that may be refused, in percent. Not in this version.';
comment on column dba.importconfig.archive_folder is 'Where loaded files go, in a folder per day. Null: archive/<config_name>, filled in at the INSERT.';
comment on column dba.importconfig.failed_folder is 'Where files that could not be loaded go, with a note of the reason beside them. Null: failed/<config_name>, filled in at the INSERT.';
comment on column dba.importconfig.description is 'What these files are and who sends them.';
comment on column dba.importconfig.owner is 'Who answers for it.';
comment on column dba.importconfig.created_at is 'When the row was inserted. Kept by Rota.';
comment on column dba.importconfig.created_by is 'Login that inserted it. Kept by Rota.';
comment on column dba.importconfig.updated_at is 'When it was last changed. Kept by Rota.';
comment on column dba.importconfig.updated_by is 'Login that changed it. Kept by Rota.';
comment on column dba.importconfig.version is 'Counted up by every change. Kept by Rota.';

comment on constraint config_name_is_not_blank on dba.importconfig is 'Give it a name, for example prices.';
comment on constraint source_folder_is_not_blank on dba.importconfig is 'Write a folder: inbox/prices is below the data folder, /srv/prices is absolute.';
comment on constraint folders_are_written_without_control_characters on dba.importconfig is 'Write the folder on one line, without tabs.';
comment on constraint pattern_kind_is_glob_or_regex on dba.importconfig is 'Write glob (*.xlsx) or regex (prices_[0-9]+[.]csv).';
comment on constraint file_pattern_can_be_read on dba.importconfig is 'Write for example *.xlsx.';
comment on constraint file_pattern_names_files_not_folders on dba.importconfig is 'Put the folder into source_folder; with recurse = true the folders below are searched too.';
comment on constraint order_by_is_name_or_modified on dba.importconfig is 'Write name, or modified for the oldest first.';
comment on constraint settle_is_between_0_and_1_hour on dba.importconfig is 'Write for example 10 seconds.';
comment on constraint done_file_is_a_name on dba.importconfig is 'Write {name}.done, {stem}.ok or .done, without a folder; null: settle decides.';
comment on constraint file_kind_is_known on dba.importconfig is 'Write auto, csv, xlsx, xls or html.';
comment on constraint sheet_is_not_blank on dba.importconfig is 'Write the sheet''s name or its number from 1; null: the first visible one.';
comment on constraint header_row_counts_from_1 on dba.importconfig is 'Write the row as a spreadsheet counts it, from 1; null: Rota finds it.';
comment on constraint header_rows_counts_from_1 on dba.importconfig is 'Write 1.';
comment on constraint delimiter_is_one_character on dba.importconfig is 'Write one character, for example ; or \t for a tab; null: detected. What splits the file''s name is part_delimiter.';
comment on constraint quote_is_one_character_or_none on dba.importconfig is 'Write one character, or '''' for a file without quotes; null: ".';
comment on constraint name_rule_is_legacy_or_readable on dba.importconfig is 'Write legacy or readable.';
comment on constraint target_table_is_written_schema_dot_table on dba.importconfig is 'Write schema and table in lower case, for example feeds.price.';
comment on constraint target_table_is_in_a_schema_for_data on dba.importconfig is 'Schemas dba, pgboss, information_schema and pg_… are the system''s. Write another one, for example feeds.price.';
comment on constraint schema_and_table_have_at_most_63_characters on dba.importconfig is 'Postgres cuts longer names. Write shorter ones.';
comment on constraint on_new_column_is_add_ignore_fail_extra_or_propose on dba.importconfig is 'Write add, ignore or fail.';
comment on constraint on_missing_column_is_null_or_fail on dba.importconfig is 'Write the text ''null'' (the column stays empty) or ''fail''.';
comment on constraint load_mode_is_known on dba.importconfig is 'Write append or replace_dataset.';
comment on constraint on_duplicate_key_is_fail_last_or_first on dba.importconfig is 'Write fail.';
comment on constraint datasource_and_datasettype_are_not_blank on dba.importconfig is 'Write a name; datasource null: the config''s name.';
comment on constraint label_from_is_known on dba.importconfig is 'Write filename, folder or static.';
comment on constraint a_static_label_stands_in_label_spec on dba.importconfig is 'Put the label into label_spec.';
comment on constraint label_spec_can_be_read on dba.importconfig is 'Write digits (the part of that number from 0), or a regular expression whose first group is taken.';
comment on constraint date_from_is_known on dba.importconfig is 'Write modified, filename, today or static.';
comment on constraint a_static_date_stands_in_date_spec on dba.importconfig is 'Put the date into date_spec, written as date_format says.';
comment on constraint date_spec_can_be_read on dba.importconfig is 'Write digits (the part of that number from 0), or a regular expression whose first group is taken.';
comment on constraint date_format_holds_year_month_and_day on dba.importconfig is 'Build it from yyyy yy MMM MM M dd d HH H hh h mm ss SSS a; other letters but T and Z stand in quotes: yyyyMMdd, dd.MM.yyyy, yyyyMMddTHHmmss, d MMM yyyy.';
comment on constraint part_delimiter_is_not_empty on dba.importconfig is 'Write what stands between the parts of the name, for example _ or -.';
comment on constraint empty_when_can_be_read on dba.importconfig is 'Write a regular expression, for example Invalid Event ID.';
comment on constraint regular_expressions_mean_the_same_everywhere on dba.importconfig is 'Classes as [[:alpha:]], the escapes \m \M \y \Y \A \Z and options as (?i) are Postgres''s alone, and these expressions are also read by the workers. Write [A-Za-z], \b, [Aa].';
comment on constraint dataset_column_is_a_plain_name on dba.importconfig is 'Write lower case letters, digits and underscores: dataset_id.';
comment on constraint max_rejects_is_not_negative on dba.importconfig is 'Write 0.';
comment on constraint max_reject_percent_is_between_0_and_100 on dba.importconfig is 'Leave it empty.';
comment on constraint source_archive_and_failed_are_three_folders on dba.importconfig is 'A folder may not be its own archive: loaded files would be found again. Leave archive_folder and failed_folder out for archive/<config_name> and failed/<config_name>.';
comment on constraint a_folder_that_recurses_holds_no_archive on dba.importconfig is 'With recurse the folders below are searched, so files in the archive would be found again. Put archive_folder and failed_folder elsewhere.';
comment on constraint rows_go_to_a_table_in_this_version on dba.importconfig is 'Conversion to CSV without a table is not in this version. Give target_table: feeds.price.';
comment on constraint keep_csv_is_off_in_this_version on dba.importconfig is 'Not in this version. Leave keep_csv false; the original is archived as it came.';
comment on constraint file_kind_is_not_ods_xml_or_json_in_this_version on dba.importconfig is 'Not in this version. Ask the sender for .xlsx, .xls, an HTML table or CSV.';
comment on constraint one_sheet_is_read_in_this_version on dba.importconfig is 'All sheets at once (*) is not in this version. Write one config per sheet.';
comment on constraint the_whole_sheet_is_read_in_this_version on dba.importconfig is 'Not in this version. Leave cell_range empty; header_row says where the table begins.';
comment on constraint the_header_is_one_row_in_this_version on dba.importconfig is 'Headers of several rows are not in this version. Name in header_row the row that holds the column names.';
comment on constraint on_new_column_is_add_ignore_or_fail_in_this_version on dba.importconfig is 'extra and propose are not in this version. Write add, ignore or fail.';
comment on constraint load_mode_is_append_or_replace_dataset_in_this_version on dba.importconfig is 'replace, upsert and append_new are not in this version. Write append or replace_dataset.';
comment on constraint rows_have_no_key_in_this_version on dba.importconfig is 'Keys are not in this version. Leave key_columns empty and on_duplicate_key at fail.';
comment on constraint label_and_date_are_not_read_from_content_in_this_version on dba.importconfig is 'content is not in this version. Take label and date from filename, folder, modified, today or static.';
comment on constraint no_row_may_be_rejected_in_this_version on dba.importconfig is 'Refusing single rows is not in this version: a file is loaded whole or fails. Leave max_rejects 0 and max_reject_percent empty.';

create function dba.importconfig_rules()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    new.datasource := coalesce(new.datasource, new.config_name);
    new.archive_folder := coalesce(new.archive_folder, 'archive/' || dba.folder_name(new.config_name));
    new.failed_folder := coalesce(new.failed_folder, 'failed/' || dba.folder_name(new.config_name));
  end if;
  -- The CHECKs say the same; here the refusal comes without their whole text behind it.
  if new.pattern_kind = 'regex' then
    perform dba.check_regex(new.file_pattern, 'file_pattern');
  elsif new.file_pattern is not null then
    perform dba.check_glob(new.file_pattern);
  end if;
  if new.label_from <> 'static' then
    perform dba.check_regex(new.label_spec, 'label_spec');
  end if;
  if new.date_from = 'filename' then
    perform dba.check_regex(new.date_spec, 'date_spec');
  end if;
  perform dba.check_regex(new.empty_when, 'empty_when');
  if new.source_zone is not null and not exists (select from dba.timezone where time_zone = new.source_zone) then
    perform dba.refuse(format('source_zone "%s" is not known', new.source_zone),
      coalesce(format('Did you mean "%s"? ', dba.nearest_name(new.source_zone, array(select time_zone from dba.timezone))), '') || 'Write an IANA name such as Europe/Warsaw: select * from dba.timezone.');
  end if;
  return new;
end
$$;
comment on function dba.importconfig_rules() is 'BEFORE trigger of dba.importconfig: fills in what follows from the name, and refuses unreadable patterns and unknown zones.';

create function dba.folder_name(name text)
returns text
language sql
immutable
as $$ select regexp_replace(name, '[/\\[:cntrl:]]|^[.]+', '_', 'g') $$;
comment on function dba.folder_name(text) is 'A name as one folder: what would lead elsewhere becomes _.';

create trigger m_importconfig_rules before insert or update on dba.importconfig for each row when (current_user <> 'rota_worker') execute function dba.importconfig_rules();

create function dba.register_dataset_names()
returns trigger
language plpgsql
as $$
begin
  insert into dba.datasource (datasource) values (new.datasource) on conflict do nothing;
  insert into dba.datasettype (datasettype) values (new.datasettype) on conflict do nothing;
  return null;
end
$$;
comment on function dba.register_dataset_names() is 'AFTER trigger of settings tables that load: registers data source and dataset type when they are new.';
create trigger register_dataset_names after insert or update of datasource, datasettype on dba.importconfig for each row execute function dba.register_dataset_names();

select dba.adopt_config_table('import');

-- The file ledger: a file belongs to one run at a time, and whether its bytes have reached the place they are kept at is known after a crash.
alter table dba.file add column kept_at timestamptz;
comment on column dba.file.kept_at is 'When its bytes reached kept_path; null while they are on their way.';
create unique index a_file_is_loaded_by_one_run_at_a_time on dba.file (path) where state = 'loading' and kept_path is null;
comment on index dba.a_file_is_loaded_by_one_run_at_a_time is 'Law: a file in a folder is taken by one run.';
create index file_by_path on dba.file (path, sha256) where kept_at is null;

-- The column of the target that carries the dataset's number, so that its rows can be found again.
alter table dba.dataset add column dataset_column text;
comment on column dba.dataset.dataset_column is 'Column of target_table that carries the dataset''s number.';

create function dba.dataset_ends()
returns trigger
language plpgsql
as $$
begin
  new.valid_to := clock_timestamp();
  return new;
end
$$;
comment on function dba.dataset_ends() is 'BEFORE trigger of dba.dataset: a dataset that is superseded or deleted ends now.';
create trigger o_dataset_ends before update on dba.dataset for each row
  when (old.state = 'active' and new.state in ('superseded', 'deleted')) execute function dba.dataset_ends();

-- With the rights of whoever updates dba.dataset: nobody takes out rows that he could not delete by hand.
create function dba.take_out_rows()
returns trigger
language plpgsql
as $$
declare
  target constant regclass := to_regclass(new.target_table);
begin
  if target is not null and new.dataset_column is not null then
    execute format('delete from %s where %I = $1', target, new.dataset_column) using new.dataset_id;
  end if;
  return null;
end
$$;
comment on function dba.take_out_rows() is 'AFTER trigger of dba.dataset: update dba.dataset set state = ''deleted'' takes its rows out of the target in the same transaction.';
create trigger take_out_rows after update on dba.dataset for each row
  when (old.state <> new.state and new.state in ('deleted', 'superseded')) execute function dba.take_out_rows();

select dba.pin_search_path();

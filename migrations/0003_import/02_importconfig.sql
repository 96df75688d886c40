-- Job import and its settings.

insert into dba.job (job, description, config_table) values
  ('import', 'Loads the files of a folder (CSV, spreadsheets of any kind, HTML tables, JSON; also gzip and zip of them) into a table, each file as one dataset.', 'importconfig');

create function dba.are_column_names(names text[])
returns boolean
language sql
immutable
as $$ select names is null or cardinality(names) > 0 and not exists (select from unnest(names) n where n is null or n <> btrim(n) or n = '' or octet_length(n) > 63 or n ~ '[[:cntrl:]]'
    or n in ('tableoid', 'xmin', 'xmax', 'cmin', 'cmax', 'ctid', 'rota_table', 'rota_line')) $$;
comment on function dba.are_column_names(text[]) is 'True for names that columns can have, at least one; and for null.';

create function dba.count_distinct(names text[])
returns integer
language sql
immutable
as $$ select count(distinct n)::integer from unnest(names) n $$;
comment on function dba.count_distinct(text[]) is 'How many different names there are.';

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
  member_pattern      text,
  sheet               text,
  cell_range          text,
  header_row          integer,
  header_rows         integer      not null default 1,
  ends_when           text,
  skip_hidden         boolean      not null default false,
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
  on_unreadable_date  text         not null default 'fail',
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

  constraint config_name_is_not_blank check (config_name = btrim(config_name) and config_name <> '' and config_name !~ '[[:cntrl:]]' and length(config_name) <= 200),
  constraint source_folder_is_not_blank check (btrim(source_folder) <> ''),
  constraint archive_and_failed_folder_are_not_blank check (btrim(archive_folder) <> '' and btrim(failed_folder) <> ''),
  constraint folders_are_written_without_dots check (
    concat('/', source_folder, '/') !~ '[/\\][.][.]?[/\\]' and concat('/', archive_folder, '/') !~ '[/\\][.][.]?[/\\]' and concat('/', failed_folder, '/') !~ '[/\\][.][.]?[/\\]'),
  constraint folders_are_written_without_control_characters check (source_folder || coalesce(archive_folder, '') || coalesce(failed_folder, '') !~ '[[:cntrl:]]'),
  constraint pattern_kind_is_glob_or_regex check (pattern_kind in ('glob', 'regex')),
  constraint file_pattern_can_be_read check (case when pattern_kind = 'regex' then dba.check_regex(file_pattern, 'file_pattern') else dba.check_glob(file_pattern) end is not null),
  constraint file_pattern_names_files_not_folders check (pattern_kind = 'regex' or position('/' in file_pattern) = 0),
  constraint order_by_is_name_or_modified check (order_by in ('name', 'modified')),
  constraint settle_is_between_0_and_1_hour check (settle between '0' and '1 hour'),
  constraint done_file_is_a_name check (btrim(done_file) <> '' and done_file !~ '[/\\]' and regexp_replace(done_file, '\{(name|stem)\}', '', 'g') !~ '[{}]'),
  constraint file_kind_is_known check (file_kind in ('auto', 'csv', 'xlsx', 'xlsb', 'xls', 'ods', 'html', 'xml', 'json')),
  constraint sheet_is_not_blank check (btrim(sheet) <> ''),
  constraint member_pattern_can_be_read check (member_pattern is null or dba.check_member_pattern(member_pattern) is not null),
  constraint sheet_pattern_can_be_read check (sheet !~ '^/.+/$' or dba.check_regex(substring(sheet from '^/(.+)/$'), 'sheet') is not null),
  constraint cell_range_can_be_read check (dba.check_cell_range(cell_range) is not null or cell_range is null),
  constraint header_row_counts_from_1 check (header_row >= 1),
  constraint header_rows_is_between_1_and_5 check (header_rows between 1 and 5),
  constraint ends_when_can_be_read check (dba.check_regex(ends_when, 'ends_when') is not null or ends_when is null),
  constraint delimiter_is_one_character check (char_length(delimiter) = 1 and delimiter !~ '[\r\n]' or delimiter = '\t'),
  constraint delimiter_is_not_the_quote check (delimiter <> coalesce(quote, '"')),
  constraint quote_is_one_character_or_none check (char_length(quote) <= 1),
  constraint encoding_is_known check (encoding ~* '^(utf-?8|utf-16(le|be)?|ucs-2|iso-10646-ucs-2|(us-)?ascii|latin[1-6]|l[1-69]|iso-8859-([1-9]|1[01345]|16|[68]-[ei])|iso8859-?([1-9]|1[01345])|iso_8859-([1-9]|15)|(windows-|cp|x-cp)125[0-8]|windows-874|dos-874|tis-620|(ibm|cp)(437|850|852|858|866)|koi8(-ru?|-u)?|koi|macintosh|mac|x-mac-(roman|cyrillic|ukrainian)|gbk|x-gbk|gb_?2312|gb_2312-80|gb18030|big5(-hkscs)?|cn-big5|(x-)?euc-jp|(x-)?sjis|shift[-_]jis|ms_kanji|ms932|windows-31j|iso-2022-jp|euc-kr|ks_c_5601-1987|windows-949|korean|chinese|greek|hebrew|arabic|cyrillic)$'),
  constraint name_rule_is_legacy_or_readable check (name_rule in ('legacy', 'readable')),
  constraint target_table_is_written_schema_dot_table check (target_table ~ '^[a-z_][a-z0-9_]*[.][a-z_][a-z0-9_]*$'),
  constraint target_table_is_in_a_schema_for_data check (target_table !~ '^(dba|pgboss|rota_staging|information_schema|pg_[a-z0-9_]*)[.]'),
  constraint schema_and_table_have_at_most_63_characters check (char_length(split_part(target_table, '.', 1)) <= 63 and char_length(split_part(target_table, '.', 2)) <= 63),
  constraint on_new_column_is_add_ignore_fail_extra_or_propose check (on_new_column in ('add', 'ignore', 'fail', 'extra', 'propose')),
  constraint on_missing_column_is_null_or_fail check (on_missing_column in ('null', 'fail')),
  constraint load_mode_is_known check (load_mode in ('append', 'replace', 'replace_dataset', 'upsert', 'append_new')),
  constraint rows_go_to_a_table_or_a_csv check (target_table is not null or keep_csv),
  constraint upsert_knows_rows_by_key_columns check (load_mode <> 'upsert' or key_columns is not null),
  constraint key_columns_are_names_of_columns check (dba.are_column_names(key_columns)),
  constraint key_columns_come_from_the_file check (dataset_column <> all (key_columns)),
  constraint key_columns_stand_once check (cardinality(key_columns) = dba.count_distinct(key_columns)),
  constraint on_duplicate_key_is_fail_last_or_first check (on_duplicate_key in ('fail', 'last', 'first')),
  constraint on_duplicate_key_needs_key_columns check (on_duplicate_key = 'fail' or key_columns is not null),
  constraint datasource_and_datasettype_are_not_blank check (btrim(datasource) <> '' and btrim(datasettype) <> ''),
  constraint label_from_is_known check (label_from in ('static', 'filename', 'folder', 'content', 'mail', 'page')),
  constraint a_static_label_stands_in_label_spec check (label_from <> 'static' or btrim(coalesce(label_spec, '')) <> ''),
  constraint a_label_from_content_names_its_cell_or_column check (label_from <> 'content' or btrim(coalesce(label_spec, '')) <> ''),
  constraint label_spec_can_be_read check (label_from not in ('filename', 'folder') or dba.check_regex(label_spec, 'label_spec') is not null or label_spec is null),
  constraint label_spec_names_what_a_mail_or_page_tells check (label_from not in ('mail', 'page') or dba.check_origin_spec(label_from, label_spec, 'label_spec') is not null or label_spec is null),
  constraint date_from_is_known check (date_from in ('static', 'filename', 'content', 'modified', 'today', 'mail', 'page')),
  constraint a_static_date_stands_in_date_spec check (date_from <> 'static' or btrim(coalesce(date_spec, '')) <> ''),
  constraint a_date_from_content_names_its_cell_or_column check (date_from <> 'content' or btrim(coalesce(date_spec, '')) <> ''),
  constraint date_spec_can_be_read check (date_from <> 'filename' or dba.check_regex(date_spec, 'date_spec') is not null or date_spec is null),
  constraint date_spec_names_what_a_mail_or_page_tells check (date_from not in ('mail', 'page') or dba.check_origin_spec(date_from, date_spec, 'date_spec') is not null or date_spec is null),
  constraint date_format_can_be_read check (dba.check_date_format(date_format, 'day') is not null),
  constraint on_unreadable_date_is_fail_or_today check (on_unreadable_date in ('fail', 'today')),
  constraint part_delimiter_is_not_empty check (part_delimiter <> ''),
  constraint empty_when_can_be_read check (dba.check_regex(empty_when, 'empty_when') is not null or empty_when is null),
  constraint a_spec_or_pattern_is_null_or_not_empty check (label_spec <> '' and date_spec <> '' and ends_when <> '' and empty_when <> ''),
  constraint regular_expressions_mean_the_same_everywhere check (
    (pattern_kind <> 'regex' or dba.reads_everywhere(file_pattern)) and (label_from not in ('filename', 'folder', 'mail', 'page') or dba.reads_everywhere(label_spec))
    and (date_from not in ('filename', 'mail', 'page') or dba.reads_everywhere(date_spec)) and dba.reads_everywhere(substring(sheet from '^/(.+)/$')) and dba.reads_everywhere(substring(member_pattern from '^/(.+)/$'))
    and dba.reads_everywhere(ends_when) and dba.reads_everywhere(empty_when)),
  constraint dataset_column_is_a_plain_name check (dataset_column ~ '^[a-z_][a-z0-9_]{0,62}$'),
  constraint max_rejects_is_not_negative check (max_rejects >= 0),
  constraint max_reject_percent_is_between_0_and_100 check (max_reject_percent between 0 and 100),
  constraint source_archive_and_failed_are_three_folders check (
    rtrim(archive_folder, '/') <> rtrim(source_folder, '/') and rtrim(failed_folder, '/') <> rtrim(source_folder, '/') and rtrim(archive_folder, '/') <> rtrim(failed_folder, '/')),
  constraint a_folder_that_recurses_holds_no_archive check (
    not recurse or not (starts_with(archive_folder, rtrim(source_folder, '/') || '/') or starts_with(failed_folder, rtrim(source_folder, '/') || '/')))
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
comment on column dba.importconfig.file_kind is 'auto (default: told by the bytes, whatever the name ends in), csv (tabs and other delimiters too), xlsx (and .xlsm), xlsb, xls, ods, html, xml (SpreadsheetML 2003) or json (one object a line, or a list of them). What is packed with gzip or zip is unpacked first.';
comment on column dba.importconfig.member_pattern is 'Of a zip, which of its files: a glob on the name (*.csv), on the path where it holds a slash (2024/*.csv), or /pattern/, a regular expression on the path. Null: all of them, as one dataset.';
comment on column dba.importconfig.sheet is 'Sheet by name, its number from 1, /pattern/ (a regular expression), or * for all; of an HTML page the number of the table. Null: the first visible sheet, the largest table. All sheets of a file become one dataset.';
comment on column dba.importconfig.cell_range is 'Part of the sheet: B3:K200, columns B:K, rows 3:200, or B3: for everything from there on. Null: all of it.';
comment on column dba.importconfig.header_row is 'Row that holds the column names, counted from 1; of several header rows the first. Null: Rota finds it.';
comment on column dba.importconfig.header_rows is 'Rows that the column names take up, 1 to 5; their texts are joined by a blank, merged cells reach over their columns.';
comment on column dba.importconfig.ends_when is 'Regular expression: where a value of the first column matches, the table ends: ^Total. That row and those below are left out. Null: it ends with the sheet.';
comment on column dba.importconfig.skip_hidden is 'True: rows that are hidden in the workbook, by hand or by a filter, are left out. Default: they are loaded.';
comment on column dba.importconfig.delimiter is 'Of a CSV: one character, or \t for a tab. Null: detected.';
comment on column dba.importconfig.quote is 'Of a CSV: one character; empty text for none. Null: ".';
comment on column dba.importconfig.encoding is 'Of a CSV or HTML page: windows-1252, iso-8859-2, utf-16le … Null: by byte order mark, else detected.';
comment on column dba.importconfig.name_rule is 'How headers become column names: legacy (default: lower case, blanks and dashes to _, all else stays) or readable (words joined by _: "% Change" becomes percent_change).';
comment on column dba.importconfig.target_table is 'Where the rows go, as schema.table: feeds.price. Schema and table are made when missing and on_new_column is add or extra. Null: files are only converted to CSV (keep_csv).';
comment on column dba.importconfig.keep_csv is 'True: the CSV that a file became stands beside the archived original, one per sheet that is read, and its path in dba.file.csv_paths.';
comment on column dba.importconfig.on_new_column is 'A column in the file that the target lacks: add (default: added before the load, as text unless dba.importcolumn says otherwise), ignore, fail, extra (kept in a column extra jsonb) or propose (the file waits; dba.columnproposal has the statement to approve). A column that is too narrow for a value is made wider (varchar becomes text, integer bigint) with add, ignore and extra, and proposed so with propose; with fail, and where the table is not Rota''s or something stands on the column, the row is refused. Never is a value cut. The predecessor''s strategies 1, 2, 3 are add/null, ignore/null, ignore/fail (on_new_column/on_missing_column).';
comment on column dba.importconfig.on_missing_column is 'A column of the target that the file lacks: null (default) or fail. Whatever stands here: a file in which fewer than half of the target''s columns are found fails with header_not_recognised.';
comment on column dba.importconfig.load_mode is 'append (default), replace (the rows of all former datasets leave), replace_dataset (those of the former dataset of the same source, type, label and date leave), upsert (rows with the same key_columns are overwritten) or append_new (rows that are there already, by key_columns or as a whole, are left out). Readers see the old rows or the new ones, never half.';
comment on column dba.importconfig.key_columns is 'Columns of the target that name a row: {isin,price_date}. For upsert, and for append_new where a whole row is not meant.';
comment on column dba.importconfig.on_duplicate_key is 'The same key twice in a file: fail (default), last or first: which of the rows is taken.';
comment on column dba.importconfig.datasource is 'Where the data comes from; registered in dba.datasource when new. Null: the config''s name, filled in at the INSERT.';
comment on column dba.importconfig.datasettype is 'Kind of dataset; registered in dba.datasettype when new.';
comment on column dba.importconfig.label_from is 'What the dataset is about, taken from: filename (default), folder, content (a cell or a column, named in label_spec), mail or page (what the mail or page that the file came from tells), or static text in label_spec.';
comment on column dba.importconfig.label_spec is 'For filename and folder: null the whole name (without extension), digits the part of that number from 0, else a regular expression whose first group is taken. For content: a cell such as B2, else the header or name of a column, whose first value is taken. For mail: subject (null: it), sender or date. For page: id (null: it, or else the address), address, fetched (the day), title, or a column of dba.scrapefield. Behind a colon which part of that, as for filename: subject: Prices for ([A-Z]+). For static: the label.';
comment on column dba.importconfig.date_from is 'Business date, taken from: modified (default: when the file was last written to), filename, content (a cell or a column, named in date_spec), mail or page (what the mail or page that the file came from tells), today, or static text in date_spec.';
comment on column dba.importconfig.date_spec is 'For filename: null the whole name (without extension), digits the part of that number from 0, else a regular expression whose first group is taken. For content: a cell such as B2, else the header or name of a column, whose first value is taken. For mail: date (null: it; when it was sent), or subject or sender with the part that is a date: subject: ([0-9]{8}). For page: fetched (null: it), or address, id, title or a column of dba.scrapefield: event_date. For static: the date, written as date_format says.';
comment on column dba.importconfig.date_format is 'How dates of file names, contents, subjects, pages and static ones are written: yyyy yy MMMM MMM (Jan) MM M dd d EEE (Mon) HH H hh h mm ss SSS a (AM) XXX (zone), all else as it stands: yyyyMMddTHHmmss, dd.MM.yyyy, d. MMMM@de yyyy; several with " | " between them are tried in turn.';
comment on column dba.importconfig.on_unreadable_date is 'When no date can be read: fail (default: the file fails and says what was found) or today.';
comment on column dba.importconfig.part_delimiter is 'Splits the file name without extension into parts (a folder''s path into parts at /): _. The predecessor''s delimiter.';
comment on column dba.importconfig.source_zone is 'Time zone for modified, today and the days of mails and pages, and of times in the file: an IANA name.';
comment on column dba.importconfig.empty_when is 'Regular expression: when a value in the first column matches, the file is archived as an empty dataset that supersedes nothing: Invalid Event ID.';
comment on column dba.importconfig.dataset_column is 'The target''s column that refers to dba.dataset. Where the target has datasetid instead, that is taken.';
comment on column dba.importconfig.max_rejects is 'Rows of a file that may be refused; above it the file fails as a whole. 0 (default): none. Null: no limit. Refused rows stand in dba.reject.';
comment on column dba.importconfig.max_reject_percent is 'Share of the rows of a file that may be refused, in percent: 0.5. Null: no limit.';
comment on column dba.importconfig.archive_folder is 'Where loaded files go, in a folder per day. Null: archive/<config_name>, filled in at the INSERT.';
comment on column dba.importconfig.failed_folder is 'Where files that could not be loaded go, with a note of the reason beside them. Null: failed/<config_name>, filled in at the INSERT.';
comment on column dba.importconfig.description is 'What these files are and who sends them.';
comment on column dba.importconfig.owner is 'Who answers for it.';
comment on column dba.importconfig.created_at is 'When the row was inserted. Kept by Rota.';
comment on column dba.importconfig.created_by is 'Login that inserted it. Kept by Rota.';
comment on column dba.importconfig.updated_at is 'When it was last changed. Kept by Rota.';
comment on column dba.importconfig.updated_by is 'Login that changed it. Kept by Rota.';
comment on column dba.importconfig.version is 'Counted up by every change. Kept by Rota.';

comment on constraint config_name_is_not_blank on dba.importconfig is 'Give it a name of 1 to 200 characters on one line, without blanks at its ends, for example prices.';
comment on constraint source_folder_is_not_blank on dba.importconfig is 'Write a folder: inbox/prices is below the data folder, /srv/prices is absolute.';
comment on constraint archive_and_failed_folder_are_not_blank on dba.importconfig is 'Write a folder; null: archive/<config_name> and failed/<config_name>.';
comment on constraint folders_are_written_without_dots on dba.importconfig is 'Write the way without . and ..: inbox/prices is below the data folder, /srv/prices is absolute.';
comment on constraint folders_are_written_without_control_characters on dba.importconfig is 'Write the folder on one line, without tabs.';
comment on constraint pattern_kind_is_glob_or_regex on dba.importconfig is 'Write glob (*.xlsx) or regex (prices_[0-9]+[.]csv).';
comment on constraint file_pattern_can_be_read on dba.importconfig is 'Write for example *.xlsx.';
comment on constraint file_pattern_names_files_not_folders on dba.importconfig is 'Put the folder into source_folder; with recurse = true the folders below are searched too.';
comment on constraint order_by_is_name_or_modified on dba.importconfig is 'Write name, or modified for the oldest first.';
comment on constraint settle_is_between_0_and_1_hour on dba.importconfig is 'Write for example 10 seconds.';
comment on constraint done_file_is_a_name on dba.importconfig is 'Write {name}.done, {stem}.ok or .done, without a folder: {name} is the whole name, {stem} the name without extension; null: settle decides.';
comment on constraint file_kind_is_known on dba.importconfig is 'Write auto, csv, xlsx, xlsb, xls, ods, html, xml or json; .xlsm is xlsx, .tsv and .txt are csv. gzip and zip need no word of their own.';
comment on constraint sheet_is_not_blank on dba.importconfig is 'Write the sheet''s name, its number from 1, /pattern/ or * for all; null: the first visible one.';
comment on constraint member_pattern_can_be_read on dba.importconfig is 'Write for example *.csv, 2024/*.csv, or a regular expression between slashes: /^2024/.';
comment on constraint sheet_pattern_can_be_read on dba.importconfig is 'Write a regular expression between slashes, for example /^Prices/.';
comment on constraint cell_range_can_be_read on dba.importconfig is 'Write it as in a spreadsheet: B3:K200, columns B:K, rows 3:200, or B3: for everything from there on.';
comment on constraint header_row_counts_from_1 on dba.importconfig is 'Write the row as a spreadsheet counts it, from 1; null: Rota finds it.';
comment on constraint header_rows_is_between_1_and_5 on dba.importconfig is 'Write how many rows the column names take up, 1 to 5.';
comment on constraint ends_when_can_be_read on dba.importconfig is 'Write a regular expression, for example ^Total.';
comment on constraint delimiter_is_one_character on dba.importconfig is 'Write one character, for example ; or \t for a tab; null: detected. What splits the file''s name is part_delimiter.';
comment on constraint delimiter_is_not_the_quote on dba.importconfig is 'Write another delimiter, or what values are quoted with into quote ('''' for nothing).';
comment on constraint quote_is_one_character_or_none on dba.importconfig is 'Write one character, or '''' for a file without quotes; null: ".';
comment on constraint encoding_is_known on dba.importconfig is 'Write utf-8, utf-16le, windows-1252, windows-1250, iso-8859-2, iso-8859-15, koi8-r, ibm866, macintosh, gb18030, big5, euc-jp, shift_jis, euc-kr or another name of the WHATWG Encoding Standard; null: detected.';
comment on constraint name_rule_is_legacy_or_readable on dba.importconfig is 'Write legacy or readable.';
comment on constraint target_table_is_written_schema_dot_table on dba.importconfig is 'Write schema and table in lower case, for example feeds.price. A table with another name gets one that needs no quotes: alter table feeds."Price List" rename to price_list.';
comment on constraint target_table_is_in_a_schema_for_data on dba.importconfig is 'Schemas dba, pgboss, rota_staging, information_schema and pg_… are the system''s. Write another one, for example feeds.price.';
comment on constraint schema_and_table_have_at_most_63_characters on dba.importconfig is 'Postgres cuts longer names. Write shorter ones.';
comment on constraint on_new_column_is_add_ignore_fail_extra_or_propose on dba.importconfig is 'Write add, ignore, fail, extra or propose.';
comment on constraint on_missing_column_is_null_or_fail on dba.importconfig is 'Write the text ''null'' (the column stays empty) or ''fail''.';
comment on constraint load_mode_is_known on dba.importconfig is 'Write append, replace, replace_dataset, upsert or append_new.';
comment on constraint rows_go_to_a_table_or_a_csv on dba.importconfig is 'Give target_table: feeds.price. Or keep_csv = true, and files are only converted to CSV.';
comment on constraint upsert_knows_rows_by_key_columns on dba.importconfig is 'Name the columns by which a row is found again: key_columns = ''{isin,price_date}''.';
comment on constraint key_columns_are_names_of_columns on dba.importconfig is 'Write the target''s column names as name_rule makes them, each of 1 to 63 bytes and none of Postgres''s own (ctid, xmin …): ''{isin,price_date}''; null: there is no key.';
comment on constraint key_columns_come_from_the_file on dba.importconfig is 'Each load has a dataset of its own, so its number names no row. Write columns of the file: key_columns = ''{isin,price_date}''.';
comment on constraint key_columns_stand_once on dba.importconfig is 'Take out the name that stands there twice.';
comment on constraint on_duplicate_key_is_fail_last_or_first on dba.importconfig is 'Write fail, or which of the rows is taken: last or first.';
comment on constraint on_duplicate_key_needs_key_columns on dba.importconfig is 'Name the columns that make the key: key_columns = ''{isin,price_date}''. Or leave on_duplicate_key at fail.';
comment on constraint datasource_and_datasettype_are_not_blank on dba.importconfig is 'Write a name; datasource null: the config''s name.';
comment on constraint label_from_is_known on dba.importconfig is 'Write filename, folder, content, mail, page or static.';
comment on constraint a_static_label_stands_in_label_spec on dba.importconfig is 'Put the label into label_spec.';
comment on constraint a_label_from_content_names_its_cell_or_column on dba.importconfig is 'Put a cell such as B2, or the header of a column, into label_spec.';
comment on constraint label_spec_can_be_read on dba.importconfig is 'Write digits (the part of that number from 0), or a regular expression whose first group is taken.';
comment on constraint label_spec_names_what_a_mail_or_page_tells on dba.importconfig is 'For mail: subject, sender or date; for page: address, id, fetched, title or a column of dba.scrapefield. Behind a colon which part of it: subject: Prices for ([A-Z]+).';
comment on constraint date_from_is_known on dba.importconfig is 'Write modified, filename, content, mail, page, today or static.';
comment on constraint a_static_date_stands_in_date_spec on dba.importconfig is 'Put the date into date_spec, written as date_format says.';
comment on constraint a_date_from_content_names_its_cell_or_column on dba.importconfig is 'Put a cell such as B2, or the header of a column, into date_spec.';
comment on constraint date_spec_can_be_read on dba.importconfig is 'Write digits (the part of that number from 0), or a regular expression whose first group is taken.';
comment on constraint date_spec_names_what_a_mail_or_page_tells on dba.importconfig is 'For mail: date, or subject or sender with the part that is a date; for page: fetched, or address, id, title or a column of dba.scrapefield. Behind a colon which part of it: subject: ([0-9]{8}).';
comment on constraint date_format_can_be_read on dba.importconfig is 'Build it from yyyy yy MMMM MMM MM M dd d EEE HH H hh h mm ss SSS a XXX; other letters but T and Z stand in quotes: yyyyMMdd, dd.MM.yyyy, yyyyMMddTHHmmss, d MMM yyyy.';
comment on constraint on_unreadable_date_is_fail_or_today on dba.importconfig is 'Write fail, or today for the day of the load.';
comment on constraint part_delimiter_is_not_empty on dba.importconfig is 'Write what stands between the parts of the name, for example _ or -.';
comment on constraint empty_when_can_be_read on dba.importconfig is 'Write a regular expression, for example Invalid Event ID.';
comment on constraint a_spec_or_pattern_is_null_or_not_empty on dba.importconfig is 'Write null where nothing shall be looked for: an empty expression is found in every text.';
comment on constraint regular_expressions_mean_the_same_everywhere on dba.importconfig is 'Classes as [[:alpha:]], the escapes \m \M \y \Y \A \Z and options as (?i) are Postgres''s alone, and these expressions are also read by the workers. Write [A-Za-z], \b, [Aa].';
comment on constraint dataset_column_is_a_plain_name on dba.importconfig is 'Write lower case letters, digits and underscores: dataset_id.';
comment on constraint max_rejects_is_not_negative on dba.importconfig is 'Write 0 for none, another number, or null for no limit.';
comment on constraint max_reject_percent_is_between_0_and_100 on dba.importconfig is 'Write 0 to 100, for example 0.5; null for no limit.';
comment on constraint source_archive_and_failed_are_three_folders on dba.importconfig is 'A folder may not be its own archive: loaded files would be found again. Leave archive_folder and failed_folder out for archive/<config_name> and failed/<config_name>.';
comment on constraint a_folder_that_recurses_holds_no_archive on dba.importconfig is 'With recurse the folders below are searched, so files in the archive would be found again. Put archive_folder and failed_folder elsewhere.';

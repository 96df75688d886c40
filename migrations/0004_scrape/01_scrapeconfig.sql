-- Job scrape and its settings.

insert into dba.job (job, description, config_table, args_allowed) values
  ('scrape', 'Fetches pages by a list of ids or by following links, turns what their selectors find into rows of a table, and downloads the files they link to.', 'scrapeconfig',
    -- replay: read kept pages again, fetch nothing. only_retries: load kept files again, fetch nothing.
    '{replay,only_retries}');

insert into dba.datasettype (datasettype, description) values ('page', 'Rows read from web pages.');

create table dba.scrapeconfig (
  config_name          text         primary key,
  is_active            boolean      not null default true,
  start_url            text         not null,
  ids_from             text         not null default 'none',
  ids_spec             text,
  follow_selector      text,
  follow_pattern       text,
  max_depth            integer      not null default 3,
  same_host            boolean      not null default true,
  next_selector        text,
  max_pages            integer,
  row_selector         text,
  skip_states          text[]       not null default '{}',
  miss_states          text[],
  target_table         text,
  on_new_column        text         not null default 'add',
  on_missing_column    text         not null default 'null',
  load_mode            text         not null default 'replace_dataset',
  key_columns          text[],
  on_duplicate_key     text         not null default 'fail',
  datasource           text,
  datasettype          text         not null default 'page',
  label                text,
  dataset_column       text         not null default 'dataset_id',
  source_zone          text         not null default 'UTC',
  max_rejects          integer      default 0,
  max_reject_percent   numeric,
  file_selector        text,
  file_pattern         text,
  file_url             text,
  file_config          text         references dba.importconfig (config_name) on update cascade on delete restrict,
  file_name            text,
  file_states          text[],
  save_unchanged       boolean      not null default true,
  render               text         not null default 'none',
  wait_selector        text,
  click_selector       text,
  keep_pages           text         not null default 'broken',
  replay_days          integer      not null default 14,
  allow_private_hosts  boolean      not null default false,
  connection_name      text         references dba.connection (connection_name) on update cascade on delete restrict,
  page_timeout         interval     not null default '30 seconds',
  max_page_bytes       bigint       not null default 20971520,
  max_file_bytes       bigint       not null default 1073741824,
  max_failed_percent   numeric      not null default 0,
  low_band_percent     numeric      default 50,
  archive_folder       text,
  failed_folder        text,
  description          text,
  owner                text,
  created_at           timestamptz  not null default clock_timestamp(),
  created_by           text         not null default session_user,
  updated_at           timestamptz  not null default clock_timestamp(),
  updated_by           text         not null default session_user,
  version              integer      not null default 1,

  constraint config_name_is_not_blank check (config_name = btrim(config_name) and config_name <> '' and config_name !~ '[[:cntrl:]]' and length(config_name) <= 200),
  constraint archive_and_failed_folder_are_not_blank check (btrim(archive_folder) <> '' and btrim(failed_folder) <> ''),
  constraint folders_are_written_without_dots check (concat_ws('/', archive_folder, failed_folder) !~ '(^|[/\\])[.]{1,2}([/\\]|$)'),
  constraint folders_are_written_without_control_characters check (concat_ws('/', archive_folder, failed_folder) !~ '[[:cntrl:]]'),
  constraint start_url_is_http_or_https check (start_url ~* '^https?://[^[:space:]/?#]+[^[:space:]]*$'),
  constraint addresses_hold_no_user_and_password check (concat_ws(' ', start_url, file_url) !~* 'https?://[^[:space:]/?#]*@'),
  constraint places_of_addresses_are_known check (replace(concat_ws(' ', start_url, file_url), '{id}', '') !~ '[{]\w+[}]'),
  constraint ids_from_is_known check (ids_from in ('none', 'range', 'list', 'query', 'frontier')),
  constraint ids_stand_in_ids_spec check (ids_from not in ('range', 'list', 'query', 'frontier') or btrim(coalesce(ids_spec, '')) <> ''),
  constraint a_url_without_ids_has_no_place_for_one check (ids_from <> 'none' or position('{id}' in start_url) = 0),
  constraint a_url_with_ids_has_a_place_for_them check (ids_from not in ('range', 'list', 'query', 'frontier') or position('{id}' in start_url) > 0),
  constraint a_range_is_written_first_dots_last check (ids_from <> 'range' or ids_spec ~ '^\s*\d{1,15}\s*[.][.]\s*\d{1,15}(\s+step\s+[1-9]\d{0,9})?\s*$'),
  constraint a_range_runs_upward check (ids_from <> 'range' or ids_spec !~ '^\s*\d{1,15}\s*[.][.]\s*\d{1,15}' or split_part(ids_spec, '..', 1)::bigint <= substring(split_part(ids_spec, '..', 2) from '\d+')::bigint),
  constraint a_frontier_is_written_first_misses_n check (ids_from <> 'frontier' or ids_spec ~ '^\s*\d{1,15}\s+misses\s+[1-9]\d{0,5}(\s+back\s+\d{1,9})?\s*$'),
  constraint follow_pattern_can_be_read check (dba.check_regex(follow_pattern, 'follow_pattern') is not null or follow_pattern is null),
  constraint file_pattern_can_be_read check (dba.check_regex(file_pattern, 'file_pattern') is not null or file_pattern is null),
  constraint regular_expressions_mean_the_same_everywhere check (concat_ws(' ', follow_pattern, file_pattern) !~ '\[\[[:.=]|\\[mMyYAZ]|\(\?(?!:|=|!|<=|<!)|(^| )\*\*\*'),
  constraint max_depth_is_between_1_and_100 check (max_depth between 1 and 100),
  constraint max_pages_is_positive check (max_pages > 0),
  constraint states_are_words check (array_position(skip_states || miss_states || file_states, null) is null and array_to_string(skip_states || miss_states || file_states, ',') ~ '^([[:alpha:]][[:alnum:]_]*(,[[:alpha:]][[:alnum:]_]*)*)?$'),
  constraint selectors_are_not_blank check (array_position(array[btrim(follow_selector), btrim(next_selector), btrim(row_selector), btrim(file_selector), btrim(wait_selector), btrim(click_selector)], '') is null),
  constraint target_table_is_written_schema_dot_table check (target_table ~ '^[a-z_][a-z0-9_]*[.][a-z_][a-z0-9_]*$'),
  constraint target_table_is_in_a_schema_for_data check (target_table !~ '^(dba|pgboss|rota_staging|information_schema|pg_[a-z0-9_]*)[.]'),
  constraint schema_and_table_have_at_most_63_characters check (char_length(split_part(target_table, '.', 1)) <= 63 and char_length(split_part(target_table, '.', 2)) <= 63),
  constraint what_is_found_goes_to_a_table_or_a_folder check (target_table is not null or file_config is not null),
  constraint on_new_column_is_add_ignore_fail_extra_or_propose check (on_new_column in ('add', 'ignore', 'fail', 'extra', 'propose')),
  constraint on_missing_column_is_null_or_fail check (on_missing_column in ('null', 'fail')),
  constraint load_mode_is_known check (load_mode in ('append', 'replace', 'replace_dataset', 'upsert', 'append_new')),
  constraint upsert_knows_rows_by_key_columns check (load_mode <> 'upsert' or key_columns is not null),
  constraint key_columns_are_names_of_columns check (dba.are_column_names(key_columns)),
  constraint on_duplicate_key_is_fail_last_or_first check (on_duplicate_key in ('fail', 'last', 'first')),
  constraint on_duplicate_key_needs_key_columns check (on_duplicate_key = 'fail' or key_columns is not null),
  constraint datasource_and_datasettype_are_not_blank check (btrim(datasource) <> '' and btrim(datasettype) <> ''),
  constraint label_is_not_blank check (btrim(label) <> ''),
  constraint places_of_label_are_known check (regexp_replace(label, '[{](id|url|title|state)[}]', '', 'g') !~ '[{]\w+[}]'),
  constraint dataset_column_is_a_plain_name check (dataset_column ~ '^[a-z_][a-z0-9_]{0,62}$'),
  constraint max_rejects_is_not_negative check (max_rejects >= 0),
  constraint max_reject_percent_is_between_0_and_100 check (max_reject_percent between 0 and 100),
  constraint files_are_found_by_a_selector_or_a_url check (file_config is null or coalesce(file_selector, file_pattern, file_url, click_selector) is not null),
  constraint files_go_to_the_folder_of_an_import_config check (file_config is not null or coalesce(file_selector, file_pattern, file_url) is null),
  constraint file_url_is_http_or_https check (file_url ~* '^https?://[^[:space:]/?#]+[^[:space:]]*$'),
  constraint file_name_is_a_name check (btrim(file_name) <> '' and file_name !~ '[/\\[:cntrl:]]'),
  constraint places_of_file_name_are_known check (regexp_replace(file_name, '[{](timestamp|date|id|name)[}]', '', 'g') !~ '[{]\w+[}]'),
  constraint render_is_none_or_browser check (render in ('none', 'browser')),
  constraint only_a_browser_waits_and_clicks check (render = 'browser' or (wait_selector is null and click_selector is null)),
  constraint keep_pages_is_none_broken_or_all check (keep_pages in ('none', 'broken', 'all')),
  constraint replay_days_is_between_1_and_3650 check (replay_days between 1 and 3650),
  constraint page_timeout_is_between_1_second_and_10_minutes check (page_timeout between '1 second' and '10 minutes'),
  constraint sizes_are_positive check (max_page_bytes > 0 and max_file_bytes > 0),
  constraint a_page_fits_into_memory check (max_page_bytes <= 268435456),
  constraint max_failed_percent_is_between_0_and_100 check (max_failed_percent between 0 and 100),
  constraint low_band_percent_is_between_0_and_100 check (low_band_percent between 0 and 100)
);

comment on table dba.scrapeconfig is 'Settings of job scrape; what is read from a page stands in dba.scrapefield. Least: insert into dba.scrapeconfig (config_name, start_url, row_selector, target_table) values (''rates'', ''https://example.com/rates'', ''table tr'', ''feeds.rate'');';
comment on column dba.scrapeconfig.config_name is 'Its name; dba.scheduler.config_name refers to it.';
comment on column dba.scrapeconfig.is_active is 'False: fires of its schedules are skipped.';
comment on column dba.scrapeconfig.start_url is 'The page, or with ids the address with {id} in the id''s place: https://example.com/event_{id}/list.html.';
comment on column dba.scrapeconfig.ids_from is 'Where the ids come from: none (one page), range, list, query, or frontier: an open range that grows with what is found.';
comment on column dba.scrapeconfig.ids_spec is 'range: 115000..144999, also 0..900 step 100; list: a, b, c; query: a SELECT whose first column is the id (it runs as rota_job); frontier: 94583 misses 500: begins there and goes on until so many ids in a row, behind the highest that was ever there, have no page; with back 1000 only the last 1000 of the known ones are asked again.';
comment on column dba.scrapeconfig.follow_selector is 'CSS selector of links to more pages. Null: none is followed.';
comment on column dba.scrapeconfig.follow_pattern is 'Regular expression that the address of a followed link matches. Null: any.';
comment on column dba.scrapeconfig.max_depth is 'How many links deep, the start not counted.';
comment on column dba.scrapeconfig.same_host is 'True: only links to the host of the start are followed.';
comment on column dba.scrapeconfig.next_selector is 'CSS selector of the link to the next page of a list; its pages count as one.';
comment on column dba.scrapeconfig.max_pages is 'Most pages of a run. Null: no limit.';
comment on column dba.scrapeconfig.row_selector is 'CSS selector of what is one row: table:first tr. Null: each page is one row.';
comment on column dba.scrapeconfig.skip_states is 'Pages of these states (state_word of dba.scrapefield) give no rows: {Invalid,AccessDenied}. They are counted and kept in dba.page all the same.';
comment on column dba.scrapeconfig.miss_states is 'Pages of these states are not there, whatever their status: a frontier counts them as misses, dba.page calls them gone, and no link of theirs is followed: {Invalid}. Pages of all other states are there. Null: a page is there when its status is 2xx and its state is not in skip_states.';
comment on column dba.scrapeconfig.target_table is 'Table for the rows, as schema.table; made when it is missing, as in dba.importconfig. Null: only files are downloaded.';
comment on column dba.scrapeconfig.on_new_column is 'A field that the target lacks: add, ignore, fail, extra or propose, as in dba.importconfig.';
comment on column dba.scrapeconfig.on_missing_column is 'A column of the target that no field fills: null or fail.';
comment on column dba.scrapeconfig.load_mode is 'replace_dataset (default: the rows of the same label and day), append, replace, upsert or append_new, as in dba.importconfig.';
comment on column dba.scrapeconfig.key_columns is 'Columns that make a row unique, for upsert and append_new.';
comment on column dba.scrapeconfig.on_duplicate_key is 'The same key twice in one load: fail (default), last or first.';
comment on column dba.scrapeconfig.datasource is 'Where the data comes from; registered when new. Null: the config''s name, filled in at the INSERT.';
comment on column dba.scrapeconfig.datasettype is 'Kind of dataset; registered when new.';
comment on column dba.scrapeconfig.label is 'Label of the dataset. With {id} in it each id becomes a dataset of its own: {id}; one whose page is there and has no rows becomes a dataset in state empty. Null: the config''s name, one dataset a run.';
comment on column dba.scrapeconfig.dataset_column is 'The target''s column that refers to dba.dataset.';
comment on column dba.scrapeconfig.source_zone is 'Time zone of naive times on the pages, and of the dataset''s day: an IANA name.';
comment on column dba.scrapeconfig.max_rejects is 'Rows that may be refused; above it nothing is loaded. 0 (default): none. Null: no limit.';
comment on column dba.scrapeconfig.max_reject_percent is 'Share of the rows that may be refused, in percent. Null: no limit.';
comment on column dba.scrapeconfig.file_selector is 'CSS selector of links to files that are downloaded: a[href*=".xls"].';
comment on column dba.scrapeconfig.file_pattern is 'Regular expression: of the links that file_selector finds (null: of all) those whose address or file name matches: ^list_[0-9]+[.]xls$. The name is the last part of the address up to ; or ?. Null: all that file_selector finds.';
comment on column dba.scrapeconfig.file_url is 'Address of the file where no link is found: https://example.com/event_{id}/list.xls?event_id={id}; with file_selector and file_pattern empty, always.';
comment on column dba.scrapeconfig.file_config is 'Row of dba.importconfig whose source folder gets the files.';
comment on column dba.scrapeconfig.file_name is 'Name under which a file is saved: {timestamp}_MeetMax_{id}.xls; {name} is the name it came with. Null: {timestamp}_{id}_{name}.';
comment on column dba.scrapeconfig.file_states is 'Only pages in these states are asked for files: {Active}. Null: all that are there.';
comment on column dba.scrapeconfig.save_unchanged is 'True (default): what is downloaded is saved whether or not it changed, so that the import behind it sees that it was there today; bytes that were loaded before become a duplicate in dba.file, which confirms them and loads nothing twice. False: a file is saved when it differs from the one before; the server is asked for no more than that.';
comment on column dba.scrapeconfig.render is 'none (default: the page as it is sent) or browser: the system''s Chromium opens it, for pages that JavaScript makes.';
comment on column dba.scrapeconfig.wait_selector is 'With browser: the page is ready when this selector matches.';
comment on column dba.scrapeconfig.click_selector is 'With browser: clicked to export a file: #export.';
comment on column dba.scrapeconfig.keep_pages is 'Which pages'' bytes are kept for dba.page: broken (default: up to 100 a run that failed or fell out of the band, and up to 1,000 that came with an ETag or Last-Modified, since only of those the next run can ask whether they have changed), all, or none: every page comes anew.';
comment on column dba.scrapeconfig.replay_days is 'How many days they are kept: rota scrape <config> --replay reads them again.';
comment on column dba.scrapeconfig.allow_private_hosts is 'True: the hosts that stand in start_url, file_url and the connection''s login_url, and those with a row of their own in dba.scrapehost, may have private and loopback addresses; where a page leads elsewhere inside is refused all the same. Default: all are refused with private_address.';
comment on column dba.scrapeconfig.connection_name is 'Row of dba.connection of kind http: user and password, log-in form, proxy, headers. Null: none is needed.';
comment on column dba.scrapeconfig.page_timeout is 'Longest wait for one page: 30 seconds.';
comment on column dba.scrapeconfig.max_page_bytes is 'Largest page, unpacked, in bytes: 20 MB.';
comment on column dba.scrapeconfig.max_file_bytes is 'Largest download in bytes: 1 GB.';
comment on column dba.scrapeconfig.max_failed_percent is 'Share of the pages that may stay unread, in percent, without holding up what was read. 0 (default): all are asked again by the next attempt before anything is loaded.';
comment on column dba.scrapeconfig.low_band_percent is 'Below this share of the usual number of rows (or of the usual fill of a field) the dataset is quarantined and the run fails. Usual: the median of the last five good runs. Null: not looked at.';
comment on column dba.scrapeconfig.archive_folder is 'Where what was read is kept as a file of rows. Null: archive/<config_name>, filled in at the INSERT.';
comment on column dba.scrapeconfig.failed_folder is 'Where rows that could not be loaded go. Null: failed/<config_name>, filled in at the INSERT.';
comment on column dba.scrapeconfig.description is 'What these pages are and whose.';
comment on column dba.scrapeconfig.owner is 'Who answers for it.';

comment on constraint scrapeconfig_file_config_fkey on dba.scrapeconfig is 'Insert the config into dba.importconfig first.';
comment on constraint scrapeconfig_connection_name_fkey on dba.scrapeconfig is 'Insert the connection into dba.connection first.';
comment on constraint config_name_is_not_blank on dba.scrapeconfig is 'Give it a name of 1 to 200 characters on one line, without blanks at its ends, for example rates.';
comment on constraint archive_and_failed_folder_are_not_blank on dba.scrapeconfig is 'Write a folder; null: archive/<config_name> and failed/<config_name>.';
comment on constraint folders_are_written_without_dots on dba.scrapeconfig is 'Write the way without . and ..: archive/rates is below the data folder, /srv/rates is absolute.';
comment on constraint folders_are_written_without_control_characters on dba.scrapeconfig is 'Write the folder on one line, without tabs.';
comment on constraint start_url_is_http_or_https on dba.scrapeconfig is 'Write https://host/path, without blanks; {id} stands for the id.';
comment on constraint addresses_hold_no_user_and_password on dba.scrapeconfig is 'Take user and password out of the address: a row of dba.connection of kind http holds them, connection_name names it.';
comment on constraint places_of_addresses_are_known on dba.scrapeconfig is 'The one place in an address is {id}.';
comment on constraint ids_from_is_known on dba.scrapeconfig is 'Write none, range, list, query or frontier.';
comment on constraint ids_stand_in_ids_spec on dba.scrapeconfig is 'Write the ids into ids_spec: 115000..144999, or a, b, c, or a SELECT.';
comment on constraint a_url_without_ids_has_no_place_for_one on dba.scrapeconfig is 'Say where {id} comes from: ids_from = ''range'', ids_spec = ''1..500''.';
comment on constraint a_url_with_ids_has_a_place_for_them on dba.scrapeconfig is 'Put {id} into start_url where the id belongs.';
comment on constraint a_range_is_written_first_dots_last on dba.scrapeconfig is 'Write 115000..144999, or 0..900 step 100; leading zeros are kept: 001..999.';
comment on constraint a_range_runs_upward on dba.scrapeconfig is 'Write the smaller number first.';
comment on constraint a_frontier_is_written_first_misses_n on dba.scrapeconfig is 'Write for example 94583 misses 500.';
comment on constraint follow_pattern_can_be_read on dba.scrapeconfig is 'Write a regular expression, for example /events/[0-9]+$.';
comment on constraint file_pattern_can_be_read on dba.scrapeconfig is 'Write a regular expression, for example [.]xlsx?$.';
comment on constraint regular_expressions_mean_the_same_everywhere on dba.scrapeconfig is 'Classes as [[:alpha:]], the escapes \m \M \y \Y \A \Z and options as (?i) are Postgres''s alone, and the workers read these expressions. Write [A-Za-z], \b, [Aa].';
comment on constraint max_depth_is_between_1_and_100 on dba.scrapeconfig is 'Write 1 for the links of the start page alone.';
comment on constraint max_pages_is_positive on dba.scrapeconfig is 'Write a number from 1, or null for no limit.';
comment on constraint states_are_words on dba.scrapeconfig is 'Write state words of dba.scrapefield: ''{Invalid,AccessDenied}''; an empty list, or null where it may be.';
comment on constraint selectors_are_not_blank on dba.scrapeconfig is 'Write a CSS selector, for example table tr, or null.';
comment on constraint target_table_is_written_schema_dot_table on dba.scrapeconfig is 'Write schema and table in lower case, for example feeds.rate.';
comment on constraint target_table_is_in_a_schema_for_data on dba.scrapeconfig is 'Schemas dba, pgboss, rota_staging, information_schema and pg_… are the system''s. Write another one, for example feeds.rate.';
comment on constraint schema_and_table_have_at_most_63_characters on dba.scrapeconfig is 'Postgres cuts longer names. Write shorter ones.';
comment on constraint what_is_found_goes_to_a_table_or_a_folder on dba.scrapeconfig is 'Give target_table for rows, or file_config for files.';
comment on constraint on_new_column_is_add_ignore_fail_extra_or_propose on dba.scrapeconfig is 'Write add, ignore, fail, extra or propose.';
comment on constraint on_missing_column_is_null_or_fail on dba.scrapeconfig is 'Write the text ''null'' (the column stays empty) or ''fail''.';
comment on constraint load_mode_is_known on dba.scrapeconfig is 'Write append, replace, replace_dataset, upsert or append_new.';
comment on constraint upsert_knows_rows_by_key_columns on dba.scrapeconfig is 'Name the columns by which a row is found again: key_columns = ''{event_id}''.';
comment on constraint key_columns_are_names_of_columns on dba.scrapeconfig is 'Write column names of dba.scrapefield: ''{event_id,company}''; null: there is no key.';
comment on constraint on_duplicate_key_is_fail_last_or_first on dba.scrapeconfig is 'Write fail, or which of the rows is taken: last or first.';
comment on constraint on_duplicate_key_needs_key_columns on dba.scrapeconfig is 'Name the columns that make the key, or leave on_duplicate_key at fail.';
comment on constraint datasource_and_datasettype_are_not_blank on dba.scrapeconfig is 'Write a name; datasource null: the config''s name.';
comment on constraint label_is_not_blank on dba.scrapeconfig is 'Write a label, {id} for one dataset per id, or null for the config''s name.';
comment on constraint places_of_label_are_known on dba.scrapeconfig is 'A label has the places {id}, {url}, {title} and {state}.';
comment on constraint dataset_column_is_a_plain_name on dba.scrapeconfig is 'Write lower case letters, digits and underscores: dataset_id.';
comment on constraint max_rejects_is_not_negative on dba.scrapeconfig is 'Write 0 for none, another number, or null for no limit.';
comment on constraint max_reject_percent_is_between_0_and_100 on dba.scrapeconfig is 'Write 0 to 100, for example 0.5; null for no limit.';
comment on constraint files_are_found_by_a_selector_or_a_url on dba.scrapeconfig is 'Say where the files are: file_selector = ''a[href*=".xls"]'', file_pattern = ''[.]xls$'', or file_url.';
comment on constraint files_go_to_the_folder_of_an_import_config on dba.scrapeconfig is 'Name in file_config the row of dba.importconfig whose source folder gets the files.';
comment on constraint file_url_is_http_or_https on dba.scrapeconfig is 'Write https://host/path, without blanks; {id} stands for the id.';
comment on constraint file_name_is_a_name on dba.scrapeconfig is 'Write a name without folder, for example {timestamp}_{id}.xls.';
comment on constraint places_of_file_name_are_known on dba.scrapeconfig is 'A file''s name has the places {timestamp}, {date}, {id} and {name}.';
comment on constraint render_is_none_or_browser on dba.scrapeconfig is 'Write none or browser.';
comment on constraint only_a_browser_waits_and_clicks on dba.scrapeconfig is 'Set render = ''browser'', or take wait_selector and click_selector out.';
comment on constraint keep_pages_is_none_broken_or_all on dba.scrapeconfig is 'Write none, broken or all.';
comment on constraint replay_days_is_between_1_and_3650 on dba.scrapeconfig is 'Write days, for example 14.';
comment on constraint page_timeout_is_between_1_second_and_10_minutes on dba.scrapeconfig is 'Write for example 30 seconds.';
comment on constraint sizes_are_positive on dba.scrapeconfig is 'Write bytes, for example 20971520.';
comment on constraint a_page_fits_into_memory on dba.scrapeconfig is 'Pages are read in memory: write at most 268435456. Larger things are files: file_selector or file_url.';
comment on constraint max_failed_percent_is_between_0_and_100 on dba.scrapeconfig is 'Write 0 to 100, for example 1.';
comment on constraint low_band_percent_is_between_0_and_100 on dba.scrapeconfig is 'Write 0 to 100, for example 50; null: no look at the numbers.';

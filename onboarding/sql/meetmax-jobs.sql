-- The jobs of MeetMax: what is asked for, how pages are read, where files go, when. Beside meetmax.sql; may be run again: rows stay as they are.
-- Read the terms of the site first, and ask for leave: a scan is tens of thousands of pages. The schedules below are switched off.

-- One page every five seconds, by all workers together, under Rota's own name.
insert into dba.scrapehost (host, min_gap, parallel, description, owner)
values ('www.meetmax.com', '5 seconds', 1, 'Conferences. 429 and "error 1015" are waited out by themselves.', 'research')
on conflict do nothing;

-- The downloaded files: .xls by name, whatever they are. The event's number and the day stand in the name. All lists of a day stay, and
-- meetmax.event_load takes the last: a file that is the same as an earlier one is not loaded again, and that one's rows must be there then.
insert into dba.importconfig (config_name, source_folder, file_pattern, pattern_kind, target_table, on_new_column, load_mode, datasource, datasettype,
  label_from, label_spec, date_from, date_spec, date_format, part_delimiter, empty_when, description, owner)
values ('MeetMax_Events_XLS_Import', 'inbox/meetmax/events', '\d{8}T\d{6}_MeetMax_\d+[.]xls', 'regex', 'meetmax.eventsheet', 'extra', 'append', 'MeetMax', 'MeetMaxEvents',
  'filename', '2', 'filename', '0', 'yyyyMMddTHHmmss', '_', 'Invalid Event ID', 'Company lists of events. Every event has headers of its own: all go into extra.', 'research')
on conflict do nothing;
insert into dba.importcheck (config_name, check_name, kind, expression, severity, description)
values ('MeetMax_Events_XLS_Import', 'companies have names', 'expression',
  $$select count(*) filter (where extra ?| array['company_name', 'company/organization', 'company_description', 'company_description_(bio)', 'organization_description', 'description']) > 0 from staging$$,
  'fail', 'A file without any of the known headers is no company list: a log-in page, an error.')
on conflict do nothing;

-- The cancellations that Dealogic mails.
insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, on_new_column, load_mode, datasource, datasettype, description, owner)
values ('DealogicCancels', 'inbox/dealogic', '*.csv', 'meetmax.dealogicevent', 'ignore', 'replace_dataset', 'Dealogic', 'DealogicCancels', 'Attachments of the daily exception report.', 'research')
on conflict do nothing;

insert into dba.connection (connection_name, kind, user_name, secret_name, description, owner)
values ('research mail', 'gmail', 'research@example.com', 'research.gmail', 'Write your own address; rota gmail-login sets the secret.', 'research')
on conflict do nothing;
insert into dba.inboxconfig (config_name, connection_name, subject_pattern, has_attachment, attachment_pattern, import_config, name_prefix, description, owner)
values ('DeaLogicEmail', 'research mail', 'MeetMax Daily Exception Report', true, '[.]csv$', 'DealogicCancels', '{timestamp}_', 'The daily exception report.', 'research')
on conflict do nothing;

-- 1. The URL check: which events have a list, public or private, and where its file is. A link to the private list is followed.
insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, follow_selector, max_depth, miss_states, target_table, on_new_column, datasource, datasettype, label, description, owner)
values ('MeetMax_URL_Check', 'https://www.meetmax.com/sched/event_{id}/__co-list_cp.html', 'range', '115000..139999',
  'a.nav-link[href*="__private-co-list_cp.html"]:contains("Private Company List")', 1, '{Invalid}', 'meetmax.urlcheck', 'fail', 'MeetMax', 'MeetMaxURL', 'MeetMaxURLCheck',
  'Answers in meetmax.tmeetmaxurlcheck.', 'research')
on conflict do nothing;

-- 2. The download: the file behind the link, or behind the button where there is no link.
insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, follow_selector, max_depth, file_selector, file_url, file_config, file_name, file_states,
  save_unchanged, miss_states, datasource, datasettype, label, description, owner)
values ('MeetMax_Download', 'https://www.meetmax.com/sched/event_{id}/__co-list_cp.html', 'query', 'select event_id from meetmax.event_to_download',
  'a.nav-link[href*="__private-co-list_cp.html"]:contains("Private Company List")', 1,
  'a[href*="co-list_cp.xls"]', 'https://www.meetmax.com/sched/event_{id}/__co-list_cp.xls?event_id={id}', 'MeetMax_Events_XLS_Import', '{timestamp}_MeetMax_{id}.xls', '{Downloadable}',
  true, '{Invalid}', 'MeetMax', 'MeetMaxEvents', 'MeetMaxDownload', 'Of events with a private list, that one. A list that did not change is saved all the same: it was fetched.', 'research')
on conflict do nothing;

-- 3. The same with a browser, where the button makes the file by JavaScript.
insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, render, click_selector, file_config, file_name, file_states, miss_states, datasource, datasettype, label, description, owner)
values ('MeetMax_Export', 'https://www.meetmax.com/sched/event_{id}/__co-list_cp.html', 'query', 'select event_id from meetmax.event_to_scrape',
  'browser', '#export, a:has-text("Download Company List")', 'MeetMax_Events_XLS_Import', '{timestamp}_MeetMax_{id}.xls', '{Downloadable}',
  '{Invalid}', 'MeetMax', 'MeetMaxEvents', 'MeetMaxExport', 'Clicks Download Company List.', 'research')
on conflict do nothing;

insert into dba.scrapefield (config_name, column_name, position, selector, page_text, pattern, status_codes, state_word)
select config_name, column_name, position, selector, page_text, pattern, status_codes::integer[], state_word
from (values ('MeetMax_URL_Check'), ('MeetMax_Download'), ('MeetMax_Export')) as c (config_name)
cross join (values
  ('is forbidden',        1, null,                                                 false, null,                    '{403}',     'AccessDenied'),
  ('is not there',        2, null,                                                 false, null,                    '{404,410}', 'Invalid'),
  ('is invalid',          3, '.alert.alert-danger',                                false, 'Invalid Event ID',      null,        'Invalid'),
  ('has private list',    5, 'a.nav-link[href*="__private-co-list_cp.html"]',      false, 'Private Company List',  null,        'Private'),
  ('has link',            6, 'a[href*="co-list_cp.xls"]',                          false, null,                    null,        'Downloadable'),
  ('has export button',   7, '#export:has(.fa-cloud-download-alt)',                false, 'Download Company List', null,        'Downloadable'),
  ('has neither',         8, null,                                                 true,  '^',                     null,        'Closed')
) as f (column_name, position, selector, page_text, pattern, status_codes, state_word)
on conflict do nothing;

insert into dba.scrapefield (config_name, column_name, position, page_text, pattern, state_word)
values ('MeetMax_Export', 'is empty', 4, true, 'No companies found', 'Empty')
on conflict do nothing;

insert into dba.scrapefield (config_name, column_name, position, selector, attribute, pattern, is_count)
values
  ('MeetMax_URL_Check', 'url',            11, null,                                  null,   null,                      false),
  ('MeetMax_URL_Check', 'state',          12, null,                                  null,   null,                      false),
  ('MeetMax_URL_Check', 'status_code',    13, null,                                  null,   null,                      false),
  ('MeetMax_URL_Check', 'title',          14, 'title',                               null,   '^(.*?)(?: - MeetMax)?$',  false),
  ('MeetMax_URL_Check', 'download_link',  15, 'a[href*="co-list_cp.xls"]',           'href', '^[^;]+',                  false),
  ('MeetMax_URL_Check', 'export_buttons', 16, '#export:has(.fa-cloud-download-alt):contains("Download Company List")', null, null, true)
on conflict do nothing;

-- 4. The weekly URL scan: in which state each page is, and how many companies it lists. Error 1015 is no state: it is waited out.
insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, miss_states, target_table, on_new_column, datasource, datasettype, label, max_failed_percent, description, owner)
values ('MeetMax_URL_Scan', 'https://www.meetmax.com/sched/event_{id}/__co-list_cp.html', 'query', 'select event_id from meetmax.id_to_scan',
  '{Invalid}', 'meetmax.urlscan', 'fail', 'MeetMax', 'MeetMaxURLScan', 'MeetMaxURLScan', 1, 'Answers in meetmax.page_state and meetmax.tmeetmaxurlscan.', 'research')
on conflict do nothing;

-- 5. The nightly scrape of companies and tickers. A page that says that it has no companies gives one row without a company; one that says nothing
-- of the kind and has no table is not read, and is no cancellation.
insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, row_selector, skip_states, miss_states, target_table, on_new_column, datasource, datasettype, label, description, owner)
values ('MeetMax_Company_Scrape', 'https://www.meetmax.com/sched/event_{id}/__co-list_cp.html', 'query', 'select event_id from meetmax.event_to_scrape',
  'table:first tr:has(td), body:not(:has(tr td))', '{AccessDenied,Invalid,Unknown}', '{Invalid}', 'meetmax.company', 'fail', 'MeetMax', 'MeetMaxEventData', '{id}',
  'One dataset per event and day, in meetmax.company_seen.', 'research')
on conflict do nothing;

insert into dba.scrapefield (config_name, column_name, position, selector, page_text, pattern, status_codes, state_word)
values
  ('MeetMax_URL_Scan',       'is forbidden',   1, null,                       false, null,                  '{403}',     'AccessDenied'),
  ('MeetMax_URL_Scan',       'says forbidden', 2, null,                       true,  '[Aa][Cc][Cc][Ee][Ss][Ss] [Dd][Ee][Nn][Ii][Ee][Dd]', null,        'AccessDenied'),
  ('MeetMax_URL_Scan',       'says invalid',   3, null,                       true,  'Invalid Event ID',    null,        'Invalid'),
  ('MeetMax_URL_Scan',       'is not there',   4, null,                       false, null,                  '{404,410}', 'Invalid'),
  ('MeetMax_URL_Scan',       'has companies',  5, 'table:first tr:has(td)',   false, null,                  null,        'Active'),
  ('MeetMax_URL_Scan',       'has none',       6, null,                       true,  '^',                   null,        'Empty'),
  ('MeetMax_Company_Scrape', 'is forbidden',   1, null,                       false, null,                  '{403}',     'AccessDenied'),
  ('MeetMax_Company_Scrape', 'says forbidden', 2, null,                       true,  '[Aa][Cc][Cc][Ee][Ss][Ss] [Dd][Ee][Nn][Ii][Ee][Dd]', null,        'AccessDenied'),
  ('MeetMax_Company_Scrape', 'says invalid',   3, null,                       true,  'Invalid Event ID',    null,        'Invalid'),
  ('MeetMax_Company_Scrape', 'is not there',   4, null,                       false, null,                  '{404,410}', 'Invalid'),
  ('MeetMax_Company_Scrape', 'has companies',  5, 'table:first tr:has(td)',   false, null,                  null,        'Active'),
  ('MeetMax_Company_Scrape', 'says empty',     6, null,                       true,  'No companies found',  null,        'Empty'),
  ('MeetMax_Company_Scrape', 'has only header', 7, 'table:first tr:has(th)',  false, null,                  null,        'Empty'),
  ('MeetMax_Company_Scrape', 'says nothing',   8, null,                       true,  '^',                   null,        'Unknown')
on conflict do nothing;

insert into dba.scrapefield (config_name, column_name, position, headers, selector, pattern, is_count, transform, default_value, skip_when)
values
  ('MeetMax_URL_Scan', 'url',           11, null, null,                     null,                     false, null, null, null),
  ('MeetMax_URL_Scan', 'state',         12, null, null,                     null,                     false, null, null, null),
  ('MeetMax_URL_Scan', 'status_code',   13, null, null,                     null,                     false, null, null, null),
  ('MeetMax_URL_Scan', 'title',         14, null, 'title',                  '^(.*?)(?: - MeetMax)?$', false, null, null, null),
  ('MeetMax_URL_Scan', 'num_companies', 15, null, 'table:first tr:has(td)', null,                     true,  null, null, null),
  ('MeetMax_Company_Scrape', 'company_name',  11, '{company name,company/organization,company description,company description (bio),organization description,description,#1}',
                                                        null,                                null,     false, 'collapse', null, '^\*\* KOL'),
  ('MeetMax_Company_Scrape', 'tickers',       12, '{ticker,company ticker}', null,           null,     false, 'collapse | regexp_replace(/^.*private.*$/i, "Private (No Ticker)")', 'N/A', null),
  ('MeetMax_Company_Scrape', 'ticker_header', 13, null, 'page: table:first tr:first th', '^(?:[Cc][Oo][Mm][Pp][Aa][Nn][Yy] )?[Tt][Ii][Cc][Kk][Ee][Rr]$', false, null, null, null),
  ('MeetMax_Company_Scrape', 'url',           14, null, null,                                null,     false, null, null, null),
  ('MeetMax_Company_Scrape', 'state',         15, null, null,                                null,     false, null, null, null)
on conflict do nothing;

-- When: the former cron jobs, switched off. Switch on what you use: update dba.scheduler set is_active = true where schedule_name = '…';
-- set time_zone where theirs was not the setting's.
insert into dba.scheduler (schedule_name, job, config_name, args, cron, run_after, is_active, timeout, max_attempts, description, owner)
values
  ('MeetMax URL check',            'scrape', 'MeetMax_URL_Check',         '{}', '0 19 * * 5',      null,                              false, '23 hours', 3, 'Was: Fridays 19:00. The pages take longer than an attempt may: the next one goes on where it stood, and does not count as a try.', 'research'),
  ('MeetMax download',             'scrape', 'MeetMax_Download',          '{}', '0 5,17 * * 1-5',  null,                              false, '8 hours', 3, 'Was: run_download_and_import.sh.', 'research'),
  ('MeetMax export',               'scrape', 'MeetMax_Export',            '{}', null,              null,                              false, '8 hours', 3, 'Was: url_download2.py. In place of MeetMax download where links are gone.', 'research'),
  ('MeetMax import',               'import', 'MeetMax_Events_XLS_Import', '{}', null,              '{MeetMax download}',              false, '1 hour', 3,  'Was: the second half of run_download_and_import.sh.', 'research'),
  ('MeetMax URL scan',             'scrape', 'MeetMax_URL_Scan',          '{}', '0 1 * * 6',       null,                              false, '23 hours', 3, 'Was: Saturdays 01:00. The pages take longer than an attempt may: the next one goes on where it stood, and does not count as a try.', 'research'),
  ('MeetMax company scrape',       'scrape', 'MeetMax_Company_Scrape',    '{}', '15 0 * * 1-5',    null,                              false, '12 hours', 3, 'Was: meetmax_chain.sh.', 'research'),
  ('MeetMax Dealogic mail',        'inbox',  'DeaLogicEmail',             '{}', '15 12 * * 1-5',   null,                              false, '1 hour', 3,  'Was: the Gmail processor, 12:15.', 'research'),
  ('MeetMax Dealogic import',      'import', 'DealogicCancels',           '{}', null,              '{MeetMax Dealogic mail}',         false, '1 hour', 3,  'Was: import 7, behind it.', 'research'),
  ('MeetMax daily cancellations',  'sql',    null, '{"statement": "call meetmax.p_insert_daily_cancellations()"}', '15 14 * * 1-5', null,        false, '1 hour', 3,  'Was: 14:15. Behind the scrape: run_after = ''{MeetMax company scrape}'' instead of cron.', 'research')
on conflict do nothing;

-- The former reports, switched off. Give them recipients and switch them on:
-- update dba.reportconfig set to_addresses = '{desk@example.com}', is_active = true where config_name = 'MeetMax event changes';
insert into dba.reportconfig (config_name, is_active, cron, subject, to_addresses, body_html, skip_if_empty, fresh_schedules, fresh_within, hold_until, when_stale, description, owner)
values
  ('MeetMax event changes', false, '30 6 * * 1-5', 'MeetMax event changes {timestamp}', '{desk@example.com}',
    '<p>Changes in the company lists of events. Lists that could not be read stand below; of them nothing is known.</p>{{changes}}{{not_fetched}}',
    false, '{MeetMax company scrape}', '1 day', '09:00', 'banner', 'Daily Event Changes.', 'research'),
  ('MeetMax multi-conference cancellations', false, '35 6 * * 1-5', 'Cancellations at several conferences {timestamp}', '{desk@example.com}',
    '<p>Tickers that were cancelled at more than one event within 31 days.</p>{{removals}}',
    true, '{MeetMax company scrape}', '1 day', '09:00', 'banner', 'MultiConference Cancellation.', 'research'),
  ('MeetMax historical cancellations', false, '0 7 * * 1', 'Historical cancellations {timestamp}', '{desk@example.com}',
    '<p>{{known}} cancellations are known; all of them are attached.</p>',
    false, null, null, null, 'hold', 'Historical Cancellations.', 'research')
on conflict do nothing;
insert into dba.reportquery (config_name, query_name, title, shown_as, file_name, max_rows, query_text)
values
  ('MeetMax event changes', 'changes', 'Added and removed', 'table', null, 2000,
    'select eventid, company_name, ticker, mindate, maxdate, scenario, url from meetmax.f_get_event_changes((:as_of)::date) where scenario <> ''not fetched'' order by scenario, eventid, company_name'),
  ('MeetMax event changes', 'not_fetched', 'Not fetched', 'table', null, 500,
    'select eventid, maxdate as last_read, url from meetmax.f_get_event_changes((:as_of)::date) where scenario = ''not fetched'' order by eventid'),
  ('MeetMax event changes', 'file', null, 'csv', 'event_changes_{timestamp}.csv', null, 'select * from meetmax.f_get_event_changes((:as_of)::date)'),
  ('MeetMax multi-conference cancellations', 'removals', null, 'table', null, 2000, 'select * from meetmax.f_get_ticker_removals((:as_of)::date)'),
  ('MeetMax multi-conference cancellations', 'file', null, 'csv', 'ticker_removals_{timestamp}.csv', null, 'select * from meetmax.f_get_ticker_removals((:as_of)::date)'),
  ('MeetMax historical cancellations', 'known', null, 'value', null, null, 'select count(*) from meetmax.f_historical_cancellations()'),
  ('MeetMax historical cancellations', 'file', null, 'csv', 'historical_cancellations_{timestamp}.csv', null, 'select * from meetmax.f_historical_cancellations()')
on conflict do nothing;

-- The demo: four files of a wholesaler, each into a table of schema demo, the mails of its warehouses, and a web site of events whose pages and
-- files come in by themselves.
-- Everything here a DBA could have typed.
-- It may be run again: what is there stays as it is.

-- What to do: where the files lie, which names, which table.
insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, load_mode, description, owner)
values
  ('demo products', 'demo/inbox/products', '*.xls', 'demo.product', 'append', 'Price list, an Excel workbook of 97.', 'demo'),
  ('demo orders', 'demo/inbox/orders', '*.xlsx', 'demo.order', 'replace_dataset', 'Open orders, with a title above the table. A newer list of the same name and day replaces the former.', 'demo'),
  ('demo suppliers', 'demo/inbox/suppliers', '*.xls', 'demo.supplier', 'append', 'A web page that calls itself .xls.', 'demo'),
  ('demo shipments', 'demo/inbox/shipments', '*.csv', 'demo.shipment', 'append', 'CSV with line breaks inside quotes.', 'demo')
on conflict (config_name) do nothing;

-- When to do it: by the clock, when a file arrives, or when somebody asks.
insert into dba.scheduler (schedule_name, job, config_name, cron, on_file, description, owner)
values
  ('demo products', 'import', 'demo products', '*/30 * * * * *', null, 'Looks every half minute: six fields begin with the second.', 'demo'),
  ('demo orders', 'import', 'demo orders', null, 'demo/inbox/orders/*.xlsx', 'Runs when such a file arrives. Drop one into demo/inbox/orders of the data folder.', 'demo'),
  ('demo shipments', 'import', 'demo shipments', null, 'demo/inbox/shipments/*.csv', 'Runs when such a file arrives.', 'demo'),
  ('demo suppliers', 'import', 'demo suppliers', null, null, 'Runs on request: insert into dba.run (schedule_name) values (''demo suppliers'').', 'demo')
on conflict (schedule_name) do nothing;

-- Mails with delivery notes, out of a folder of .eml files; a real mailbox is a connection of kind imap or gmail. What the dataset is about, and of
-- which day it is, stands in the subject: Delivery notes of Trondheim, 21.03.2025.
insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, load_mode, label_from, label_spec, date_from, date_spec, date_format, description, owner)
values ('demo deliveries', 'demo/inbox/deliveries', '*.csv', 'demo.delivery', 'replace_dataset', 'mail', 'subject: of (.+),', 'mail', 'subject: [0-9.]+$', 'dd.MM.yyyy',
  'Delivery notes of the warehouses, one dataset per warehouse and day.', 'demo')
on conflict (config_name) do nothing;
insert into dba.connection (connection_name, kind, database_name, description, owner)
values ('demo mail', 'folder', 'demo/mail', 'A drop box: put an .eml file into demo/mail of the data folder.', 'demo')
on conflict (connection_name) do nothing;
insert into dba.inboxconfig (config_name, connection_name, subject_pattern, attachment_pattern, import_config, description, owner)
values ('demo mails', 'demo mail', '^Delivery notes of ', '[.]csv$', 'demo deliveries', 'Takes the CSV out of each mail with delivery notes and moves the mail to Processed; any other mail is left alone.', 'demo')
on conflict (config_name) do nothing;
insert into dba.scheduler (schedule_name, job, config_name, cron, on_file, description, owner)
values
  ('demo mails',      'inbox',  'demo mails',      '* * * * *', null,                          'Looks into the drop box every minute.', 'demo'),
  ('demo deliveries', 'import', 'demo deliveries', null,        'demo/inbox/deliveries/*.csv', 'Runs when a mail has brought such a file.', 'demo')
on conflict (schedule_name) do nothing;

-- A web site of about forty events, which npm start serves as well. It asks for little politeness; a real one gets a second between two requests.
insert into dba.scrapehost (host, min_gap, parallel, description, owner)
values ('127.0.0.1:4187', '10 milliseconds', 4, 'The site of the demo.', 'demo')
on conflict (host) do nothing;

-- The files that its pages lead to: workbooks of 97, and pages that call themselves .xls. Each event names its columns in its own way.
insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, load_mode, label_spec, date_from, date_spec, date_format, description, owner)
values ('demo event files', 'demo/inbox/events', '*.xls', 'demo.event_file', 'replace_dataset', '2', 'filename', '0', 'yyyyMMddTHHmmss', 'Company lists of events, one dataset per event.', 'demo')
on conflict (config_name) do nothing;
insert into dba.importcolumn (config_name, column_name, source_name)
values
  ('demo event files', 'company', '/^(Company Name|Company\/Organization|Description)$/'),
  ('demo event files', 'ticker',  '/^(Company )?Ticker$/')
on conflict (config_name, column_name) do nothing;

-- Which pages, what is a row, where links lead. Private addresses must be allowed: this site is on this machine.
insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, follow_selector, next_selector, row_selector, skip_states, target_table, file_selector, file_url,
  file_config, file_name, file_states, save_unchanged, allow_private_hosts, description, owner)
values ('demo events', 'http://127.0.0.1:4187/sched/event_{id}/__co-list_cp.html', 'range', '120001..120044', 'a.nav-link[href*="__private-co-list_cp.html"]', 'a[rel=next]',
  'table:first tr:has(td)', '{Invalid,Denied}', 'demo.event_company', 'a[href*="co-list_cp.xls"]', 'http://127.0.0.1:4187/sched/event_{id}/__co-list_cp.xls?event_id={id}',
  'demo event files', '{timestamp}_{name}', '{Listed}', false, true, 'Companies at events, from public and private lists.', 'demo')
on conflict (config_name) do nothing;

-- What is read from a row; and by which rules a page is in which state, the first that holds.
insert into dba.scrapefield (config_name, column_name, position, headers, selector, skip_when)
values
  ('demo events', 'event',   11, null, 'page: h1', null),
  ('demo events', 'company', 12, '{company name,company/organization,description}', null, '^\*\* KOL'),
  ('demo events', 'ticker',  13, '{ticker,company ticker}', null, null),
  ('demo events', 'sector',  14, '{sector}', null, null),
  ('demo events', 'city',    15, '{city}', null, null),
  ('demo events', 'url',     16, null, null, null)
on conflict (config_name, column_name) do nothing;
insert into dba.scrapefield (config_name, column_name, position, selector, page_text, pattern, status_codes, state_word)
values
  ('demo events', 'is invalid',  1, '.alert.alert-danger',      false, 'Invalid Event ID',   null,    'Invalid'),
  ('demo events', 'is denied',   2, null,                       false, null,                 '{403}', 'Denied'),
  ('demo events', 'is empty',    3, null,                       true,  'No companies found', null,    'Empty'),
  ('demo events', 'is private',  4, 'a.nav-link[href*="__private-co-list_cp.html"]', false, null, null, 'Private'),
  ('demo events', 'has a list',  5, 'table:first tr:has(td)',   false, null,                 null,    'Listed')
on conflict (config_name, column_name) do nothing;

-- When: every hour, and the files behind it.
insert into dba.scheduler (schedule_name, job, config_name, cron, run_after, run_after_state, description, owner)
values
  ('demo events',      'scrape', 'demo events',      '0 * * * *', null, 'succeeded', 'Reads the pages of the site and downloads its files.', 'demo'),
  ('demo event files', 'import', 'demo event files', null, '{demo events}', 'finished', 'Loads what was downloaded, when the pages have been read.', 'demo')
on conflict (schedule_name) do nothing;

-- What came of it, by mail: a report with a chart, a table and a workbook, when the event files are loaded. It goes into the folder outbox of the
-- data folder as an .eml file, which any mail program opens; a real one names a connection of kind smtp or gmail.
insert into dba.reportconfig (config_name, sender, subject, to_addresses, body_html, fresh_datasets, fresh_within, when_stale, description, owner)
values ('demo report', 'Rota <rota@example.com>', 'Events of {date}: who will be there', '{analyst@example.com}',
  '<h2>Who meets at the events</h2><p>{{events}} events list {{companies}} companies.</p>{{by_sector}}{{busiest}}<p>All of them are in the workbook.</p>',
  '{demo events}', '1 day', 'banner', 'What the demo found at its event site.', 'demo')
on conflict (config_name) do nothing;
insert into dba.reportquery (config_name, query_name, shown_as, title, max_rows, file_name, query_text)
values
  ('demo report', 'events',    'value',     null, null, null, 'select count(distinct event) from demo.event_company'),
  ('demo report', 'companies', 'value',     null, null, null, 'select count(distinct company) from demo.event_company'),
  ('demo report', 'by_sector', 'bar_chart', 'Companies by sector', null, null,
    'select sector, count(distinct company) as companies from demo.event_company where sector <> '''' group by 1 order by 2 desc, 1'),
  ('demo report', 'busiest',   'table',     'The largest events', 8, null,
    'select event, count(*) as companies, count(distinct city) as cities from demo.event_company group by 1 order by 2 desc, 1'),
  ('demo report', 'all_rows',  'xlsx',      'Companies', null, 'companies_{date}.xlsx', 'select event, company, ticker, sector, city from demo.event_company order by 1, 2')
on conflict (config_name, query_name) do nothing;
insert into dba.scheduler (schedule_name, job, config_name, run_after, run_after_state, description, owner)
values ('demo report', 'report', 'demo report', '{demo events}', 'finished', 'Mails what was found, when the pages have been read.', 'demo')
on conflict (schedule_name) do nothing;

-- And somebody asks, once.
insert into dba.run (schedule_name, requested_reason)
select wanted, 'demo'
from unnest(array['demo suppliers', 'demo mails', 'demo events']) as wanted
where not exists (select from dba.run where schedule_name = wanted);

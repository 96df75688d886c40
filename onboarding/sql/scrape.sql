-- Web pages that become rows of a table, and the files behind them: what is read, how politely, and how to see what happened.
-- The site is the one that npm start serves; its address is printed there (another port where 4187 was taken).

-- How the host is treated, by all workers together. Without a row: a second between two requests, robots.txt obeyed.
insert into dba.scrapehost (host, min_gap, parallel, owner)
values ('127.0.0.1:4187', '10 milliseconds', 2, 'events desk')
on conflict (host) do nothing;

-- Where the files of the pages go. Each becomes a dataset named by what its page tells: the event; its date is the day it was fetched.
insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, on_new_column, load_mode, label_from, label_spec, date_from, owner)
values ('event lists', 'inbox/event lists', '*.xls', 'feeds.event_list', 'extra', 'replace_dataset', 'page', 'event', 'page', 'events desk');

-- Which pages: an address per id. Each page is one row; with row_selector each element that it finds would be one. A link to a private list is
-- followed. Private addresses must be allowed: this site is on this machine.
insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, follow_selector, skip_states, target_table, file_selector, file_config, file_name,
  file_states, keep_pages, allow_private_hosts, owner)
values ('events', 'http://127.0.0.1:4187/sched/event_{id}/__co-list_cp.html', 'range', '120001..120009', 'a.nav-link', '{Invalid}', 'feeds.event',
  'a#download', 'event lists', '{date}_{name}', '{Listed}', 'all', true, 'events desk');

-- What is read from a page, by CSS selector. id, url, state and title are known without one.
insert into dba.scrapefield (config_name, column_name, position, selector, is_count, type)
values
  ('events', 'id',        11, null,       false, 'integer'),
  ('events', 'event',     12, 'h1',       false, 'text'),
  ('events', 'companies', 13, 'tbody tr', true,  'integer'),
  ('events', 'state',     14, null,       false, 'text');

-- In which state a page is: the first rule that holds. Pages of skip_states give no rows, those of file_states give files.
insert into dba.scrapefield (config_name, column_name, position, selector, pattern, state_word)
values
  ('events', 'is invalid', 1, '.alert-danger', 'Invalid Event ID', 'Invalid'),
  ('events', 'is private', 2, 'a.nav-link',    null,               'Private'),
  ('events', 'has a list', 3, 'tbody tr',      null,               'Listed');

-- Every evening, and the files behind it. A worker looks at the first page at once and says what it finds there: config_message.
insert into dba.scheduler (schedule_name, job, config_name, cron, time_zone, run_after, run_after_state, owner)
values
  ('read events',      'scrape', 'events',      '0 19 * * 1-5', 'Europe/Warsaw', null,            'succeeded', 'events desk'),
  ('load event lists', 'import', 'event lists', null,           'Europe/Warsaw', '{read events}', 'succeeded', 'events desk');
select config_state, config_message from dba.scheduler where schedule_name = 'read events';
insert into dba.run (schedule_name) values ('read events');

-- What was found: the rows; the pages with their states and lives (new, seen, changed, gone); how often each selector matched, beside what is usual.
select id, event, companies, state from feeds.event order by id;
select url, state_word, life, title from dba.page where config_name = 'events' order by url;
select subject, matched, pages, usual from dba.scrapecount where config_name = 'events' order by counted_at desc, subject;

-- Other rules? Try them on the pages that are kept, without a request and without a load; the log of the run says what they find.
select dba.request_scrape('events', replay => true, reason => 'other selectors');

-- From which page came which dataset?
select page, file, label, dataset_date, rows_written from dba.trace where target_table = 'feeds.event_list' order by label;

-- Far fewer rows than usual are held back, and the run fails with code quarantined: a changed page is no empty list. Right after all?
-- update dba.dataset set state = 'active' where dataset_id = …;

-- A report by mail, from first row to last word. Every statement can be typed as rota_dba; \echo lines are for psql.

-- The way out, once for all reports. Until one is named, mails go into the folder outbox of the data folder as .eml files.
--   insert into dba.connection (connection_name, kind, host, user_name, secret_name) values ('post', 'smtp', 'mail.example.com', 'rota', 'post.password');
--   update dba.setting set value = 'post' where name = 'mail_connection';       and in a shell: rota secret set post.password
update dba.setting set value = 'Rota <rota@example.com>' where name = 'mail_sender';

-- What it tells of. Tables that imports make are there already; one that people make is read by reports when rota_query may.
create schema if not exists shop;
create table if not exists shop.sale (sale_id bigint, region text, sold_on date, amount numeric);
insert into shop.sale select n, (array['north', 'south'])[1 + n % 2], date '2026-11-01' + n % 20, n * 1.5 from generate_series(1, 200) n;

-- Subject, people, text. {{name}} is the place of a query, {date} the day of the fire.
insert into dba.reportconfig (config_name, subject, to_addresses, body_html, time_zone, description, owner)
values ('sales', 'Sales of {date}', '{boss@example.com}', '<p>Good morning, we sold for {{total}}.</p>{{by_day}}{{latest}}', 'Europe/Warsaw', 'What was sold, by day.', 'desk@example.com');

-- Its queries: a value within the text, a chart, a table, a workbook.
insert into dba.reportquery (config_name, query_name, shown_as, title, query_text)
values
  ('sales', 'total',  'value',      null,           'select sum(amount) from shop.sale'),
  ('sales', 'by_day', 'line_chart', 'Sales by day', 'select sold_on, sum(amount) filter (where region = ''north'') as north, sum(amount) filter (where region = ''south'') as south from shop.sale group by 1 order by 1'),
  ('sales', 'latest', 'table',      'Latest sales', 'select * from shop.sale order by sale_id desc limit 10'),
  ('sales', 'all',    'xlsx',       'Sales',        'select * from shop.sale order by sale_id');

-- Look at it; nobody gets it. In a shell: rota report sales --preview
select dba.request_preview('sales');
select outbox_id, state, subject, excerpt from dba.outbox order by outbox_id desc limit 1;

-- To yourself, marked as a test.
select dba.request_preview('sales', '{me@example.com}');

-- When: on working days at 6:20. The row in dba.scheduler of the same name is Rota's; calendar, due_by, alert_to … are set there.
update dba.reportconfig set cron = '20 6 * * 1-5' where config_name = 'sales';
select schedule_name, next_fires from dba.scheduler where schedule_name = 'sales';

-- Not before the data is there: wait until 9:00 for the schedule that loads it, and send it then with a red line that says how old the data is.
--   update dba.reportconfig set fresh_schedules = '{load sales}', hold_until = '9:00', when_stale = 'banner' where config_name = 'sales';
-- Only when there is something to say.
update dba.reportconfig set skip_if_empty = true, only_if_changed = true where config_name = 'sales';
-- What was added, removed and changed since the last mail, below the table.
update dba.reportquery set change_keys = '{sale_id}' where config_name = 'sales' and query_name = 'latest';

-- One mail per region instead, each with its own rows: columns of the recipient query are {column} in the text and :column in the queries.
update dba.reportconfig
set to_addresses = '{}', subject = 'Sales {region} of {date}', recipient_query = 'select distinct region || ''@example.com'' as address, region from shop.sale'
where config_name = 'sales';
update dba.reportquery set query_text = 'select * from shop.sale where region = :region order by sale_id desc limit 10' where config_name = 'sales' and query_name = 'latest';

-- Now. A failing query goes to nobody but the owner: select * from dba.problem.
select dba.run_now('sales');

-- What went to whom, and what did not arrive.
select at, subject, sent_to, not_sent_to from dba.mail_sent;

-- The same bytes once more, to those who did not get it, or to whom you like.
update dba.outbox set state = 'resend', resend_to = '{north@example.com}' where outbox_id = (select max(outbox_id) from dba.outbox where kind = 'report' and state = 'sent');

-- Mails whose attachments become rows of a table: rules, a rehearsal, and what became of each mail.
-- The statements can be typed one by one. Their mailbox is a folder below the data folder, .rota, and these lines put two mails into it:
--   mkdir -p .rota/inbox/prices .rota/mail && cd .rota/mail
--   printf 'From: Ann <ann@example.com>\nSubject: Prices for OSLO\nDate: Thu, 19 Nov 2026 10:00:00 +0100\nContent-Type: text/csv; name="prices.csv"\nContent-Disposition: attachment; filename="prices.csv"\n\nisin,price\nNO0010096985,291.40\n' > 1.eml
--   printf 'From: Bob <bob@example.com>\nSubject: Lunch?\n\nHalf past eleven?\n' > 2.eml

-- The mailbox. A real one is as short: its password stands in no row but is asked for by rota secret set desk.mail (Gmail: rota gmail-login).
-- insert into dba.connection (connection_name, kind, host, user_name, secret_name) values ('desk mail', 'imap', 'imap.example.com', 'desk@example.com', 'desk.mail');
insert into dba.connection (connection_name, kind, database_name, owner)
values ('desk mail', 'folder', 'mail', 'price desk');

-- Where the attachments go, and what the datasets are called: by the subject of the mail, and by the day it was sent.
insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, label_from, label_spec, date_from, owner)
values ('mailed prices', 'inbox/prices', '*.csv', 'feeds.mailed_price', 'mail', 'subject: Prices for ([A-Z]+)', 'mail', 'price desk');

-- Which mails. Rules of one mailbox are tried in rule_order; a mail that none of them matches is left alone. Whoever is not allowed gets his mail
-- put under ErrorFolder, as does a file with macros.
insert into dba.inboxconfig (config_name, connection_name, subject_pattern, attachment_pattern, allowed_senders, import_config, owner)
values ('price mails', 'desk mail', '^Prices for ', '[.]csv$', '{example.com}', 'mailed prices', 'price desk');

-- What would it do with the mails of the last 30 days? Nothing is touched; the answer is there a moment later.
select dba.request_rehearsal('price mails', 30);
select state, message from dba.rehearsal order by rehearsal_id desc limit 1;
select subject, decision, failed_on, files, would_file_to from dba.rehearsalmail order by position;

-- Look every five minutes; load each file when it has come. By nine on working days a mail must have been there, or somebody is told.
insert into dba.scheduler (schedule_name, job, config_name, cron, on_file, calendar, on_holiday, due_by, time_zone, owner)
values
  ('take price mails', 'inbox',  'price mails',   '*/5 * * * *', null,                 'weekdays', 'run',  '{09:00}', 'Europe/Oslo', 'price desk'),
  ('load price mails', 'import', 'mailed prices', null,          'inbox/prices/*.csv', null,       'skip', null,      'Europe/Oslo', 'price desk');
insert into dba.run (schedule_name) values ('take price mails');

-- Every mail that was looked at, and which filter it failed on.
select m.subject, m.sender, m.state, m.filed_to, d.decision, d.failed_on, d.detail
from dba.message m left join dba.messagedecision d using (message_id) where m.connection_name = 'desk mail' order by m.message_id;

-- From which mail came which dataset?
select mail, file, label, dataset_date, rows_written from dba.trace where target_table = 'feeds.mailed_price';

-- Have a mail looked at once more: its files are saved again (bytes that were loaded before are not loaded twice).
-- update dba.message set state = 'retry' where message_id = …;

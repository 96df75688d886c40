-- A table that can be trusted: typed columns, rows known by a key, checks, and what becomes of rows that do not fit.
-- The statements can be typed one by one; the file they speak of is made by the line below (folders are below the data folder, .rota):
--   mkdir -p .rota/inbox/shop && printf 'Order No;Date;Amount;Paid\na-1;22.11.2026;"1.234,50";ja\na-2;22.11.2026;12,5O;nein\na-1;23.11.2026;"1.300,00";ja\n' > .rota/inbox/shop/orders_20261122.csv

-- Orders of a shop, a CSV a day. A row is known by its order number: a later line takes the place of an earlier one. Up to 10 % of the rows of a
-- file may be refused; the others are loaded. The date stands in the file's name.
insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, load_mode, key_columns, on_duplicate_key,
  max_rejects, max_reject_percent, name_rule, date_from, date_spec, owner)
values ('shop orders', 'inbox/shop', 'orders_*.csv', 'feeds.shop_order', 'upsert', '{order_no}', 'last',
  null, 50, 'readable', 'filename', '1', 'shop desk');

-- What the columns hold. Columns that are not named stay text, as they came.
insert into dba.importcolumn (config_name, column_name, source_name, type, format, is_required, transform)
values
  ('shop orders', 'order_no',   'Order No', 'text',          null,         true,  'trim | upper'),
  ('shop orders', 'ordered_on', 'Date',     'date',          'dd.MM.yyyy', true,  null),
  ('shop orders', 'amount',     'Amount',   'numeric(12,2)', '1.234,56',   true,  null),
  ('shop orders', 'is_paid',    'Paid',     'boolean',       'ja/nein',    false, null);

-- What must be true of every file. A file that breaks the first fails; one that breaks the second is kept beside the table until somebody decides.
insert into dba.importcheck (config_name, check_name, kind, column_name, expression, low, severity)
values
  ('shop orders', 'not empty',       'min_rows',   null, null, 1, 'fail'),
  ('shop orders', 'amounts are sane', 'expression', null, 'amount between 0 and 100000', null, 'quarantine');

-- What would happen to a file? Nothing is written but the answer, which is there a moment later.
select dba.request_dry_run('shop orders', 'orders_20261122.csv');
select state, message, rows_insert, rows_update, rows_reject from dba.dryrun order by dryrun_id desc limit 1;
select kind, line, data, message from dba.dryrunrow where dryrun_id = (select max(dryrun_id) from dba.dryrun) order by row_id;

-- Load each file when it has come.
insert into dba.scheduler (schedule_name, job, config_name, on_file, owner)
values ('load shop orders', 'import', 'shop orders', 'inbox/shop/orders_*.csv', 'shop desk');

-- What was refused, and why: the same error is one line, however often it came.
select * from dba.reject_group where config_name = 'shop orders';

-- Correct a row (keys are the headers of the file); it joins its dataset within a second.
update dba.reject set fixed = '{"Amount": "12,50"}', state = 'retry'
where reject_id = (select max(reject_id) from dba.reject where state = 'open' and rule = 'not_a_number');

-- What is loaded, from which file; take a whole load out of the table again, or release one that is kept in quarantine.
select dataset_id, label, dataset_date, state, rows_written, rows_rejected, reason from dba.dataset where config_name = 'shop orders';
-- update dba.dataset set state = 'deleted' where dataset_id = …;
-- update dba.dataset set state = 'active' where dataset_id = …;

-- The demo: four files of a wholesaler, each into a table of schema demo. Everything here a DBA could have typed.
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

-- And somebody asks, once.
insert into dba.run (schedule_name, requested_reason)
select 'demo suppliers', 'demo'
where not exists (select from dba.run where schedule_name = 'demo suppliers');

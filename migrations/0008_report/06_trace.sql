-- The trace reaches the reader: which report told of a dataset, and who got it.

create view dba.report_use as
  select s.run_id, s.config_name, s.table_name, s.query_names, s.read_at, d.dataset_id, o.outbox_id, r.address, r.state, o.sent_at
  from dba.reportsource s
  join dba.dataset d on d.target_table = s.table_name and d.valid_from <= s.read_at and (d.valid_to is null or d.valid_to > s.read_at)
    and d.state in ('active', 'superseded', 'deleted')
  left join dba.outbox o on o.run_id = s.run_id and o.kind = 'report'
  left join dba.outboxrecipient r on r.outbox_id = o.outbox_id;
comment on view dba.report_use is 'Which reports read which datasets, and who got them: a dataset counts that was in force in a table when a report read it. select * from dba.report_use where dataset_id = 17.';
comment on column dba.report_use.run_id is 'Run of the report.';
comment on column dba.report_use.config_name is 'The report.';
comment on column dba.report_use.table_name is 'Table that was read.';
comment on column dba.report_use.query_names is 'Queries that read it.';
comment on column dba.report_use.read_at is 'When.';
comment on column dba.report_use.dataset_id is 'Dataset that was in force in that table.';
comment on column dba.report_use.outbox_id is 'The mail; null: none was made.';
comment on column dba.report_use.address is 'Recipient.';
comment on column dba.report_use.state is 'Whether the recipient got it: dba.outboxrecipient.state.';
comment on column dba.report_use.sent_at is 'When the mail went out.';
grant select on dba.report_use to rota_reader;

alter view dba.trace rename to trace_to_table;
comment on view dba.trace_to_table is 'dba.trace without reports: what it is made of.';

-- As the one above, whatever its columns are, with the reports of a dataset and who got them.
do $$
declare
  columns constant text := (
    select string_agg(case a.attname
        when 'report' then 'coalesce(u.config_name, t.report) as report'
        when 'recipient' then 'coalesce(u.address, t.recipient) as recipient'
        else format('t.%I', a.attname) end, ', ' order by a.attnum)
    from pg_catalog.pg_attribute a where a.attrelid = 'dba.trace_to_table'::regclass and a.attnum > 0);
  of_column record;
begin
  execute format('create view dba.trace as select %s, u.sent_at as reported_at, u.outbox_id from dba.trace_to_table t left join lateral (%s) u on true', columns,
    'select distinct on (r.config_name, r.address) r.config_name, r.address, r.sent_at, r.outbox_id from dba.report_use r where r.dataset_id = t.dataset_id order by r.config_name, r.address, r.read_at desc');
  for of_column in
    select a.attname, pg_catalog.col_description(a.attrelid, a.attnum) as words
    from pg_catalog.pg_attribute a where a.attrelid = 'dba.trace_to_table'::regclass and a.attnum > 0
  loop
    execute format('comment on column dba.trace.%I is %L', of_column.attname, of_column.words);
  end loop;
end
$$;
comment on view dba.trace is 'Where the rows of a table came from, and who was told of them: mail or page, file, dataset, table, report, recipient (the last mail of each report to each). What is not known says unknown. select * from dba.trace where dataset_id = 17;';
comment on column dba.trace.report is 'Report that read the dataset while it was in force.';
comment on column dba.trace.recipient is 'Who got that report.';
comment on column dba.trace.reported_at is 'When the last such mail went out.';
comment on column dba.trace.outbox_id is 'That mail: rota outbox 17.';
grant select on dba.trace to rota_reader;

create index dataset_by_target on dba.dataset (target_table, valid_from);

select dba.pin_search_path();

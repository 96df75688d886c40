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

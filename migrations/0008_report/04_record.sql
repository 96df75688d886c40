-- What a report told whom, so that the next one can say what changed, and from which tables.

create table dba.reportsnapshot (
  config_name  text         not null,
  recipient    text         not null default '',
  query_name   text         not null default '',
  fingerprint  text         not null,
  content      bytea,
  outbox_id    bigint       not null,
  taken_at     timestamptz  not null default clock_timestamp(),
  primary key (config_name, recipient, query_name, outbox_id)
);
comment on table dba.reportsnapshot is 'What the mails of a report told, per recipient of a recipient_query: for only_if_changed and change_keys. The last one that went out counts; older ones go.';
comment on column dba.reportsnapshot.config_name is 'Row of dba.reportconfig.';
comment on column dba.reportsnapshot.recipient is 'Address, where a recipient_query makes a mail for each; else empty.';
comment on column dba.reportsnapshot.query_name is 'Row of dba.reportquery; empty: all of them together.';
comment on column dba.reportsnapshot.fingerprint is 'SHA-256 of the answers.';
comment on column dba.reportsnapshot.content is 'The rows by their change_keys, compressed; null: not needed.';
comment on column dba.reportsnapshot.outbox_id is 'The mail.';
comment on column dba.reportsnapshot.taken_at is 'When.';

-- A mail that nobody got told nothing.
create function dba.last_told(config text, reader text)
returns setof dba.reportsnapshot
language sql
stable
as $$
  select distinct on (s.query_name) s.*
  from dba.reportsnapshot s
  where s.config_name = config and s.recipient = reader
    and not exists (
      select from dba.outbox o
      where o.outbox_id = s.outbox_id and not exists (select from dba.outboxrecipient r where r.outbox_id = o.outbox_id and r.state in ('sent', 'bounced')))
  order by s.query_name, s.outbox_id desc
$$;
comment on function dba.last_told(text, text) is 'What the last mail of a report that went out to a recipient told, by query.';

create table dba.reportsource (
  run_id       uuid         not null,
  table_name   text         not null,
  config_name  text         not null,
  query_names  text[]       not null,
  read_at      timestamptz  not null,
  primary key (run_id, table_name)
);
comment on table dba.reportsource is 'The tables that a report read, found from the plans of its queries; dba.trace shows their datasets.';
comment on column dba.reportsource.run_id is 'The run.';
comment on column dba.reportsource.table_name is 'Table, as schema.table.';
comment on column dba.reportsource.config_name is 'Row of dba.reportconfig.';
comment on column dba.reportsource.query_names is 'The queries that read it.';
comment on column dba.reportsource.read_at is 'When: datasets in force at this moment are those that the report told of.';
create index reportsource_by_table on dba.reportsource (table_name, read_at);

grant select on dba.reportsnapshot, dba.reportsource to rota_reader;
grant select, insert, update, delete on dba.reportsnapshot, dba.reportsource to rota_worker;

create function dba.rename_report()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.reportsnapshot set config_name = new.config_name where config_name = old.config_name;
  update dba.reportsource set config_name = new.config_name where config_name = old.config_name;
  update dba.scheduler set schedule_name = left(new.config_name, 180) || ' (on request)'
  where job = 'report' and config_name = new.config_name and generated_by = 'requests for dba.reportconfig';
  return null;
end
$$;
comment on function dba.rename_report() is 'AFTER trigger of dba.reportconfig: a renamed report takes its records along.';
create trigger rename_report after update of config_name on dba.reportconfig for each row
  when (new.config_name <> old.config_name) execute function dba.rename_report();

-- A rerun of a run that failed goes on with what that run began; one of a run that succeeded is a mail of its own.
create function dba.report_line(of_run uuid)
returns uuid[]
language sql
stable
as $$
  with recursive line (run_id, rerun_of, depth) as (
    select r.run_id, r.rerun_of, 0 from dba.run r where r.run_id = of_run
    union all
    select o.run_id, o.rerun_of, l.depth + 1 from line l join dba.run o on o.run_id = l.rerun_of where o.state <> 'succeeded' and l.depth < 1000
  )
  select array_agg(l.run_id order by l.depth) from line l
$$;
comment on function dba.report_line(uuid) is 'A run of job report and those that it repeats, as far as they failed; the last began it, and its number stands in once_key.';

create function dba.tables_behind(functions oid[])
returns text[]
language sql
stable
as $$
  -- A plan shows a function, not what it reads: the tables of datasets that its text names, and those of the functions that it calls.
  with recursive called (oid, source) as (
    select p.oid, p.prosrc from pg_catalog.pg_proc p where p.oid = any (functions)
    union
    select p.oid, p.prosrc
    from called c
    join pg_catalog.pg_proc p on c.source ~* ('\m' || regexp_replace(p.proname, '([^A-Za-z0-9_])', '\\\1', 'g') || '\s*\(')
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname not in ('pg_catalog', 'information_schema', 'dba', 'pgboss')
  ), known (table_name) as (
    select distinct d.target_table from dba.dataset d
  )
  select coalesce(array_agg(distinct k.table_name), '{}')
  from known k
  where exists (
    select from called c
    where position(k.table_name in c.source) > 0
      or c.source ~* ('(from|join)\s+("?' || regexp_replace(split_part(k.table_name, '.', 2), '([^A-Za-z0-9_])', '\\\1', 'g') || '"?)\M'))
$$;
comment on function dba.tables_behind(oid[]) is 'The tables with datasets that functions read, as far as their texts tell.';

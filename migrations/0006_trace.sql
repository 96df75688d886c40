-- From where a row came: mail or page → file → dataset → table.

create function dba.trace_file()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  came_by text;
begin
  -- A name may have been used before, by a file that somebody took away: the latest one counts.
  update dba.messagefile set file_id = new.file_id
  where (message_id, round, part, config_name) = (
    select m.message_id, m.round, m.part, m.config_name from dba.messagefile m
    where m.saved_path = new.path and m.file_id is null
    order by m.planned_at desc
    limit 1);
  if found then
    came_by := 'mail';
  end if;
  update dba.pagefile set file_id = new.file_id where saved_path = new.path and file_id is null;
  if found then
    came_by := 'page';
  end if;
  if came_by is not null then
    update dba.file set origin = came_by where file_id = new.file_id;
  end if;
  return null;
end
$$;
comment on function dba.trace_file() is 'AFTER trigger of dba.file: ties a file to the mail or page that it was saved from.';
create trigger trace_file after insert on dba.file for each row execute function dba.trace_file();

-- An import may be faster than the page's own record.
create function dba.trace_pagefile()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  select max(f.file_id) into new.file_id
  from dba.file f
  where f.path = new.saved_path and f.seen_at > new.saved_at - interval '1 hour'
    and (f.kept_at is null or (f.size_bytes, f.sha256) = (new.size_bytes, new.sha256));
  update dba.file set origin = 'page' where file_id = new.file_id;
  return new;
end
$$;
comment on function dba.trace_pagefile() is 'BEFORE trigger of dba.pagefile: finds the file that an import has taken up already.';
create trigger trace_pagefile before insert on dba.pagefile for each row when (new.file_id is null) execute function dba.trace_pagefile();

create view dba.trace as
  with arrived as (
    select f.file_id, f.file_name, f.state, f.job, f.config_name, f.seen_at, f.run_id, mf.message_id, pf.page_id, pf.run_id as page_run
    from dba.file f
    left join dba.messagefile mf on mf.file_id = f.file_id
    left join dba.pagefile pf on pf.file_id = f.file_id
    union all
    select null, mf.saved_as, 'not taken up', null, null, mf.planned_at, null, mf.message_id, null, null from dba.messagefile mf where mf.file_id is null
    union all
    select null, pf.file_name, 'not taken up', null, null, pf.saved_at, null, null, pf.page_id, pf.run_id from dba.pagefile pf where pf.file_id is null
  )
  select
    coalesce(d.created_at, a.seen_at) as at,
    coalesce(case when m.message_id is not null then format('"%s" from %s', m.subject, coalesce(m.sender, 'unknown')) end, 'unknown') as mail,
    coalesce(p.url, 'pages of ' || case when a.job = 'scrape' then a.config_name end, 'unknown') as page,
    a.file_name as file,
    a.state as file_state,
    coalesce(d.label, 'unknown') as label,
    d.dataset_date,
    coalesce(d.state, 'none') as dataset_state,
    coalesce(d.target_table, 'unknown') as target_table,
    d.rows_written,
    'unknown'::text as report,
    'unknown'::text as recipient,
    a.message_id,
    a.page_id,
    a.file_id,
    d.dataset_id,
    coalesce(m.run_id, a.page_run) as fetched_by,
    coalesce(d.run_id, a.run_id) as loaded_by
  from arrived a
  left join dba.message m on m.message_id = a.message_id
  left join dba.page p on p.page_id = a.page_id
  left join dba.dataset d on d.file_id = a.file_id;
comment on view dba.trace is 'Where the rows of a table came from, and what became of a mail or page: mail or page, file, dataset, table. What is not known says unknown. select * from dba.trace where dataset_id = 17;';
comment on column dba.trace.at is 'When the dataset was made; before that when the file came.';
comment on column dba.trace.mail is 'The mail that brought the file.';
comment on column dba.trace.page is 'The page that led to the file.';
comment on column dba.trace.file is 'The file.';
comment on column dba.trace.file_state is 'State of the file; not taken up: no import has met it yet.';
comment on column dba.trace.label is 'Label of the dataset.';
comment on column dba.trace.dataset_date is 'Business date of the dataset.';
comment on column dba.trace.dataset_state is 'State of the dataset; none: there is none.';
comment on column dba.trace.target_table is 'Table that the rows went to.';
comment on column dba.trace.rows_written is 'How many.';
comment on column dba.trace.report is 'Report that used the dataset.';
comment on column dba.trace.recipient is 'Who got the report.';
comment on column dba.trace.message_id is 'Row of dba.message.';
comment on column dba.trace.page_id is 'Row of dba.page.';
comment on column dba.trace.file_id is 'Row of dba.file.';
comment on column dba.trace.dataset_id is 'Row of dba.dataset.';
comment on column dba.trace.fetched_by is 'Run that fetched it.';
comment on column dba.trace.loaded_by is 'Run that loaded it.';
grant select on dba.trace to rota_reader;

select dba.pin_search_path();

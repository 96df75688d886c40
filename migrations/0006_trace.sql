-- From where a row came: mail or page → file → dataset → table.

-- A mail's or page's row is there before its file gets its name, so whoever takes the file finds where it came from.
create function dba.trace_file()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A name may have been used before, by a file that somebody took away: the latest one counts.
  update dba.messagefile set file_id = new.file_id
  where (message_id, round, part, config_name) = (
    select m.message_id, m.round, m.part, m.config_name
    from dba.messagefile m
    where m.saved_path = new.path and m.file_id is null and m.size_bytes = new.size_bytes
    order by m.planned_at desc
    limit 1);
  if not found then
    update dba.pagefile set file_id = new.file_id
    where pagefile_id = (
      select p.pagefile_id
      from dba.pagefile p
      where p.saved_path = new.path and p.file_id is null and p.size_bytes = new.size_bytes
      order by p.planned_at desc
      limit 1);
  end if;
  return null;
end
$$;
comment on function dba.trace_file() is 'AFTER trigger of dba.file: ties a file to the mail or page that it was saved from.';
create trigger trace_file after insert on dba.file for each row execute function dba.trace_file();

create function dba.trace_origin()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.file set origin = tg_argv[0] where file_id = new.file_id and origin <> tg_argv[0];
  update dba.file f set origin = 'folder'
  where f.file_id = old.file_id
    and not exists (select from dba.messagefile m where m.file_id = f.file_id) and not exists (select from dba.pagefile p where p.file_id = f.file_id);
  return null;
end
$$;
comment on function dba.trace_origin() is 'AFTER trigger of dba.messagefile and dba.pagefile: dba.file.origin says what its file came by.';
create trigger trace_origin after update of file_id on dba.messagefile for each row when (new.file_id is distinct from old.file_id) execute function dba.trace_origin('mail');
create trigger trace_origin after update of file_id on dba.pagefile for each row when (new.file_id is distinct from old.file_id) execute function dba.trace_origin('page');

create index dataset_by_file on dba.dataset (file_id);
create index messagefile_by_bytes on dba.messagefile (sha256) where saved_at is null;
create index pagefile_by_bytes on dba.pagefile (sha256) where saved_at is null;

-- Which fields a page has is known to dba.scrapefield.
create function dba.importconfig_page_fields()
returns trigger
language plpgsql
stable
as $$
declare
  own constant text[] := '{address,id,fetched,title}';
  what text;
  word text;
  fields text[];
begin
  foreach what in array array['label', 'date'] loop
    word := btrim(split_part(case what when 'label' then new.label_spec else new.date_spec end, ':', 1));
    continue when case what when 'label' then new.label_from else new.date_from end <> 'page' or word = any (own);
    select array_agg(distinct f.column_name order by f.column_name) into fields
    from dba.scrapeconfig c
    left join dba.scrapefield f on f.config_name = c.config_name and f.state_word is null
    where c.file_config = new.config_name;
    -- The pages that lead here may be written down later.
    if word <> all (fields) then
      perform dba.refuse(format('%s_spec "%s" names nothing that the pages leading to config "%s" tell', what, word, new.config_name),
        coalesce('Did you mean "' || dba.nearest_name(word, own || array_remove(fields, null)) || '"? ', '')
          || format('They tell %s. More can be read from them by rows of dba.scrapefield.', array_to_string(own || array_remove(fields, null), ', ')));
    end if;
  end loop;
  return new;
end
$$;
comment on function dba.importconfig_page_fields() is 'BEFORE trigger of dba.importconfig: refuses a label_spec or date_spec that no page leading to the config can answer.';
create trigger n_importconfig_page_fields before insert or update on dba.importconfig for each row
  when (current_user <> 'rota_worker' and 'page' in (new.label_from, new.date_from)) execute function dba.importconfig_page_fields();

create function dba.mail_words(mail dba.message)
returns text
language sql
stable
as $$ select format('"%s" from %s', mail.subject, coalesce(mail.sender, 'unknown')) $$;
comment on function dba.mail_words(dba.message) is 'A mail as people speak of it: "Prices of today" from ann@example.com.';

-- Arms of their own, so that a condition on a number goes down to its index.
create view dba.trace as
  select
    coalesce(d.created_at, f.seen_at) as at,
    case when mf.message_id is null then 'unknown' else dba.mail_words(m) end as mail,
    coalesce(p.url, 'pages of ' || case when f.job = 'scrape' then f.config_name end, 'unknown') as page,
    f.file_name as file,
    f.state as file_state,
    coalesce(d.label, 'unknown') as label,
    d.dataset_date,
    coalesce(d.state, 'none') as dataset_state,
    coalesce(d.target_table, 'unknown') as target_table,
    d.rows_written,
    coalesce(d.reason, f.reason) as reason,
    'unknown'::text as report,
    'unknown'::text as recipient,
    mf.message_id,
    pf.page_id,
    f.file_id,
    d.dataset_id,
    coalesce(m.run_id, pf.run_id, case when f.job = 'scrape' then coalesce(d.run_id, f.run_id) end) as fetched_by,
    coalesce(d.run_id, f.run_id) as loaded_by
  from dba.file f
  left join dba.messagefile mf on mf.file_id = f.file_id
  left join dba.message m on m.message_id = mf.message_id
  left join dba.pagefile pf on pf.file_id = f.file_id
  left join dba.page p on p.page_id = pf.page_id
  left join dba.dataset d on d.file_id = f.file_id
  union all
  select
    mf.saved_at, dba.mail_words(m), 'unknown', mf.saved_as, 'not taken up', 'unknown', null, 'none', 'unknown', null, null, 'unknown', 'unknown',
    mf.message_id, null, null, null, m.run_id, null
  from dba.messagefile mf
  join dba.message m on m.message_id = mf.message_id
  where mf.file_id is null and mf.saved_at is not null
  union all
  select
    pf.saved_at, 'unknown', p.url, pf.file_name, 'not taken up', 'unknown', null, 'none', 'unknown', null, null, 'unknown', 'unknown',
    null, pf.page_id, null, null, pf.run_id, null
  from dba.pagefile pf
  join dba.page p on p.page_id = pf.page_id
  where pf.file_id is null and pf.saved_at is not null
  union all
  select
    d.created_at, 'unknown', 'unknown', 'unknown', 'unknown', d.label, d.dataset_date, d.state, coalesce(d.target_table, 'unknown'), d.rows_written, d.reason, 'unknown', 'unknown',
    null, null, null, d.dataset_id, null, d.run_id
  from dba.dataset d
  where d.file_id is null;
comment on view dba.trace is 'Where the rows of a table came from, and what became of a mail or page: mail or page, file, dataset, table. What is not known says unknown. select * from dba.trace where dataset_id = 17; … where mail like ''%Prices%'' order by at desc;';
comment on column dba.trace.at is 'When the load began; of a file without a load when the file came.';
comment on column dba.trace.mail is 'The mail that brought the file: "Prices of today" from ann@example.com; unknown: none did.';
comment on column dba.trace.page is 'Address of the page that led to the file; for rows that were read from pages: pages of <config>; unknown: none did.';
comment on column dba.trace.file is 'Name of the file; rows read from pages pass through one as well.';
comment on column dba.trace.file_state is 'State in dba.file: loaded, duplicate, failed, …; not taken up: no import has met it yet.';
comment on column dba.trace.label is 'Label of the dataset: what it is about.';
comment on column dba.trace.dataset_date is 'Business date of the dataset; null: there is none.';
comment on column dba.trace.dataset_state is 'State in dba.dataset: active (its rows are in the table), superseded, quarantined, …; none: there is none.';
comment on column dba.trace.target_table is 'Table that the rows went to: feeds.price.';
comment on column dba.trace.rows_written is 'How many rows of it were written; null: nothing was loaded.';
comment on column dba.trace.reason is 'Why the load is empty, failed or quarantined, what superseded it, or why the file was not loaded: of which one it is a duplicate. Null: nothing to say.';
comment on column dba.trace.report is 'Report that used the dataset; unknown until there are reports.';
comment on column dba.trace.recipient is 'Who got the report.';
comment on column dba.trace.message_id is 'The mail in dba.message; null: none.';
comment on column dba.trace.page_id is 'The page in dba.page; null: none.';
comment on column dba.trace.file_id is 'The file in dba.file; null: none yet.';
comment on column dba.trace.dataset_id is 'The dataset in dba.dataset, and the number that its rows carry: feeds.price.dataset_id.';
comment on column dba.trace.fetched_by is 'Run of job inbox or scrape that fetched it: select * from dba.run_log where run_id = …';
comment on column dba.trace.loaded_by is 'Run that loaded it, or tried to.';
grant select on dba.trace to rota_reader;

select dba.pin_search_path();

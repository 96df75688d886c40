-- The file ledger: a file belongs to one run at a time, and whether its bytes have reached the place they are kept at is known after a crash.
alter table dba.file add column kept_at timestamptz;
comment on column dba.file.kept_at is 'When its bytes reached kept_path; null while they are on their way.';
create unique index a_file_is_loaded_by_one_run_at_a_time on dba.file (path) where state = 'loading' and kept_path is null;
comment on index dba.a_file_is_loaded_by_one_run_at_a_time is 'Law: a file in a folder is taken by one run.';
create index file_by_path on dba.file (path, sha256) where kept_at is null;

-- The column of the target that carries the dataset's number, so that its rows can be found again; and how they come in force when they are held back.
alter table dba.dataset add column dataset_column text, add column load_mode text, add column key_columns text[];
comment on column dba.dataset.dataset_column is 'Column of target_table that carries the dataset''s number.';
comment on column dba.dataset.load_mode is 'How its rows join those of the target, as in dba.importconfig, when it was loaded. Null: as the config says now.';
comment on column dba.dataset.key_columns is 'Columns that named a row when it was loaded.';

create function dba.dataset_ends()
returns trigger
language plpgsql
as $$
begin
  new.valid_to := clock_timestamp();
  return new;
end
$$;
comment on function dba.dataset_ends() is 'BEFORE trigger of dba.dataset: a dataset that is superseded or deleted ends now.';
create trigger o_dataset_ends before update on dba.dataset for each row
  when (old.state = 'active' and new.state in ('superseded', 'deleted')) execute function dba.dataset_ends();

create function dba.quarantine_table(target_table text)
returns text
language sql
immutable
as $$ select split_part(target_table, '.', 1) || '.' || left(split_part(target_table, '.', 2), 52) || '_quarantine' $$;
comment on function dba.quarantine_table(text) is 'Where rows that are held back stand until somebody decides: dba.quarantine_table(''feeds.price'') is feeds.price_quarantine.';

-- With the rights of whoever updates dba.dataset: nobody takes out rows that he could not delete by hand.
create function dba.take_out_rows()
returns trigger
language plpgsql
as $$
declare
  place constant regclass := to_regclass(case when old.state = 'quarantined' then dba.quarantine_table(new.target_table) else new.target_table end);
begin
  if place is not null and new.dataset_column is not null then
    execute format('delete from %s where %I = $1', place, new.dataset_column) using new.dataset_id;
  end if;
  return null;
end
$$;
comment on function dba.take_out_rows() is 'AFTER trigger of dba.dataset: update dba.dataset set state = ''deleted'' takes its rows out of the target, or out of the quarantine table, in the same transaction.';
create trigger take_out_rows after update on dba.dataset for each row
  when (old.state <> new.state and new.state in ('deleted', 'superseded')) execute function dba.take_out_rows();

-- With the rights of whoever releases it: the rows come into the target as the load would have brought them.
create function dba.release_rows()
returns trigger
language plpgsql
as $$
declare
  target constant regclass := to_regclass(new.target_table);
  held constant regclass := to_regclass(dba.quarantine_table(new.target_table));
  settings constant jsonb := coalesce(dba.settings_of(new.job, new.config_name), '{}');
  mode constant text := coalesce(new.load_mode, settings ->> 'load_mode', 'append');
  keys text[] := coalesce(new.key_columns, array(select jsonb_array_elements_text(case when jsonb_typeof(settings -> 'key_columns') = 'array' then settings -> 'key_columns' else '[]' end)));
  columns text[];
  missing text;
  numbered text;
  is_numbered boolean;
  -- That there are no rows was held back.
  is_empty constant boolean := new.dataset_column is null and old.rows_written = 0;
begin
  if not is_empty and (target is null or held is null or new.dataset_column is null) then
    perform dba.refuse(format('dataset %s cannot be released: %s is not there', new.dataset_id,
        case when target is null then format('table "%s"', new.target_table) else format('table "%s" with its rows', dba.quarantine_table(new.target_table)) end),
      format('Load its file again: update dba.file set state = ''retry'' where file_id = %s. Or set the dataset to deleted.', new.file_id));
  end if;
  select array_agg(h.attname::text order by h.attnum) filter (where t.attname is not null), min(h.attname::text) filter (where t.attname is null)
  into columns, missing
  from pg_attribute h
  left join pg_attribute t on t.attrelid = target and t.attname = h.attname and t.attnum > 0 and not t.attisdropped and t.attgenerated = ''
  where h.attrelid = held and h.attnum > 0 and not h.attisdropped;
  if missing is not null and not is_empty then
    perform dba.refuse(format('"%s" no longer has the column "%s" that rows held back in %s have', new.target_table, missing, held),
      format('Add it again: alter table %s add column %I text; or drop it there: alter table %s drop column %2$I.', target, missing, held));
  end if;
  -- Numbers that the file did not bring, Postgres gives.
  for numbered in select t.attname from pg_attribute t where not is_empty and t.attrelid = target and t.attidentity <> '' and t.attname::text = any (columns) loop
    execute format('select exists (select from %s where %I = $1 and %I is not null)', held, new.dataset_column, numbered) into is_numbered using new.dataset_id;
    if not is_numbered then
      columns := array_remove(columns, numbered);
    end if;
  end loop;
  if not is_empty and mode in ('upsert', 'append_new') and not keys <@ columns then
    perform dba.refuse(format('key_columns of config "%s" name no column "%s" of "%s"', new.config_name, (select k from unnest(keys) k where k <> all (columns) limit 1), new.target_table),
      'Correct key_columns in dba.importconfig, then release it again.');
  end if;

  -- As a load does it: those of the same source, type, label and date take turns.
  perform pg_advisory_xact_lock(hashtextextended(format('rota replaces [%s,%s,%s,%s]', to_json(new.datasource), to_json(new.datasettype), to_json(new.label), to_json(new.dataset_date)), 0));
  update dba.dataset d
  set state = 'superseded', reason = format('superseded by dataset %s, which %s released', new.dataset_id, session_user)
  where d.state = 'active' and d.dataset_id <> new.dataset_id
    and (d.file_id = new.file_id
      or mode = 'replace' and d.target_table = new.target_table
      or mode = 'replace_dataset' and (d.datasource, d.datasettype, d.label, d.dataset_date) = (new.datasource, new.datasettype, new.label, new.dataset_date));
  if mode = 'replace' and target is not null then
    execute format('delete from %s', target);
  end if;
  if not is_empty then
    new.rows_written := dba.move_rows(held, target, columns, new.dataset_column, new.dataset_id, mode, keys);
  end if;
  new.valid_from := clock_timestamp();
  new.reason := format('released by %s%s', session_user, coalesce('; it was held back: ' || old.reason, ''));
  return new;
end
$$;
comment on function dba.release_rows() is 'BEFORE trigger of dba.dataset: update dba.dataset set state = ''active'' brings rows that are held back into the target, as load_mode says, in the same transaction.';
create trigger p_release_rows before update on dba.dataset for each row
  when (old.state = 'quarantined' and new.state = 'active') execute function dba.release_rows();

create function dba.move_rows(held regclass, target regclass, columns text[], dataset_column text, dataset_id bigint, mode text, keys text[])
returns bigint
language plpgsql
as $$
declare
  listed constant text := (select string_agg(format('%I', c), ', ' order by o) from unnest(columns) with ordinality as u (c, o));
  -- A key that holds a null is like no other, as in a unique index.
  same_key constant text := (select string_agg(format('t.%1$I = q.%1$I', k), ' and ' order by o) from unnest(keys) with ordinality as u (k, o));
  of_file constant text[] := array(select c from unnest(columns) with ordinality as u (c, o) where c not in (dataset_column, 'source_file', 'source_row', 'metadata_label', 'event_date') order by o);
  -- What Postgres always numbers itself cannot be written anew.
  settable constant text[] := array(
    select c from unnest(columns) with ordinality as u (c, o)
    where not exists (select from pg_attribute a where a.attrelid = target and a.attname = c and a.attidentity = 'a') order by o);
  whole_row constant text := (select string_agg(format('$row$.%I', c), ', ') from unnest(of_file) c);
  moved bigint := 0;
  inserted bigint;
begin
  if mode in ('upsert', 'append_new') then
    execute format('lock table %s in share row exclusive mode', target);
  end if;
  if mode = 'upsert' then
    execute format('update %s as t set (%s) = row(%s) from %s as q where q.%I = $1 and %s',
      target, (select string_agg(format('%I', c), ', ' order by o) from unnest(settable) with ordinality as u (c, o)),
      (select string_agg(format('q.%I', c), ', ' order by o) from unnest(settable) with ordinality as u (c, o)), held, dataset_column, same_key)
    using dataset_id;
    get diagnostics moved = row_count;
  end if;
  -- Where whole rows are compared, the same row twice is one.
  if mode = 'append_new' and same_key is null then
    execute format(
      'delete from %1$s as d using (
         select q.ctid as place, min(q.ctid) over (partition by row(%2$s)::text) as kept from %1$s as q where q.%3$I = $1
       ) as ranked
       where d.ctid = ranked.place and ranked.place <> ranked.kept', held, replace(whole_row, '$row$', 'q'), dataset_column)
    using dataset_id;
  end if;
  execute format('insert into %s (%s) overriding system value select %s from %s as q where q.%I = $1', target, listed,
    (select string_agg(format('q.%I', c), ', ' order by o) from unnest(columns) with ordinality as u (c, o)), held, dataset_column)
    || case
      when mode = 'upsert' or mode = 'append_new' and same_key is not null then format(' and not exists (select from %s as t where %s)', target, same_key)
      when mode = 'append_new' then format(' and not exists (select from %s as t where md5(row(%s)::text) = md5(row(%s)::text))', target, replace(whole_row, '$row$', 't'), replace(whole_row, '$row$', 'q'))
      else ''
    end
  using dataset_id;
  get diagnostics inserted = row_count;
  execute format('delete from %s where %I = $1', held, dataset_column) using dataset_id;
  return moved + inserted;
end
$$;
comment on function dba.move_rows(regclass, regclass, text[], text, bigint, text, text[]) is 'Moves the rows of a dataset from the quarantine table into the target with the caller''s rights; returns how many rows the target got or changed.';

-- With the rights of the owner, since people do not say what became of a file.
create function dba.end_quarantine()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.file
  set state = case new.state when 'active' then 'loaded' else 'dismissed' end,
      reason = format('its dataset %s was %s by %s', new.dataset_id, case new.state when 'active' then 'released' else 'deleted' end, session_user),
      updated_at = clock_timestamp()
  where file_id = new.file_id and state = 'quarantined';
  return null;
end
$$;
comment on function dba.end_quarantine() is 'AFTER trigger of dba.dataset: a file whose rows were held back is loaded when they are released, dismissed when they are deleted.';
create trigger end_quarantine after update on dba.dataset for each row
  when (old.state = 'quarantined' and new.state in ('active', 'deleted') and current_user <> 'rota_worker') execute function dba.end_quarantine();

-- In place of a foreign key from every target, which costs three seconds on a million rows.
create function dba.keep_datasets()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'TRUNCATE' then
    perform dba.refuse('dba.dataset is not truncated: rows of targets carry the numbers of its rows', 'Take out the rows of one load: update dba.dataset set state = ''deleted'' where dataset_id = ….', null, '23503');
  elsif old.state in ('active', 'quarantined') and old.dataset_column is not null then
    perform dba.refuse(format('dataset %s is %s: rows of "%s" carry its number', old.dataset_id, old.state, case old.state when 'active' then old.target_table else dba.quarantine_table(old.target_table) end),
      format('Take its rows out: update dba.dataset set state = ''deleted'' where dataset_id = %s.', old.dataset_id), null, '23503');
  end if;
  return old;
end
$$;
comment on function dba.keep_datasets() is 'BEFORE trigger of dba.dataset: a dataset that rows of a target belong to is not deleted, whoever tries.';
create trigger keep_datasets before delete on dba.dataset for each row execute function dba.keep_datasets();
create trigger keep_all_datasets before truncate on dba.dataset for each statement execute function dba.keep_datasets();

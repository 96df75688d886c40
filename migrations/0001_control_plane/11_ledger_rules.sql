-- Bookmarks, datasets, files and rejects: the few columns that people may set.
create function dba.people_may_set()
returns trigger
language plpgsql
as $$
declare
  settable constant text[] := tg_argv[0]::text[];
  hint constant text := tg_argv[1];
  refused constant text := (
    select n.key from jsonb_each(to_jsonb(new)) n
    where to_jsonb(old) -> n.key is distinct from n.value and n.key <> all (settable)
    order by n.key limit 1);
begin
  if refused is not null then
    perform dba.refuse(format('column "%s" of dba.%I is kept by Rota', refused, tg_table_name), hint, null, '42501');
  end if;
  return new;
end
$$;
comment on function dba.people_may_set() is 'BEFORE trigger for people: refuses an UPDATE of columns that are the system''s.';

create function dba.people_write_no_rows()
returns trigger
language plpgsql
as $$
declare
  hint constant text := tg_argv[0];
begin
  -- A superuser mends what nobody foresaw.
  if (select r.rolsuper from pg_roles r where r.rolname = current_user) then
    return coalesce(new, old);
  end if;
  perform dba.refuse(format('rows of dba.%I are written by Rota, and stay', tg_table_name), hint, null, '42501');
end
$$;
comment on function dba.people_write_no_rows() is 'BEFORE trigger for people: refuses an INSERT or DELETE of what the system writes down.';

create function dba.adopt_ledger_table(table_name text, settable text[], hint text, tells text)
returns void
language plpgsql
as $$
declare
  for_people constant text := 'for each row when (current_user not in (''rota_worker'', ''rota_owner'')) execute function';
begin
  execute format('create trigger a_people_may_set before update on dba.%I %s dba.people_may_set(%L, %L)', table_name, for_people, settable, hint);
  execute format('create trigger m_%s_rules before update on dba.%I %s dba.%I()', table_name, table_name, for_people, table_name || '_rules');
  execute format('create trigger a_people_write_no_rows before insert or delete on dba.%I %s dba.people_write_no_rows(%L)', table_name, for_people, hint);
  execute format('create trigger z_say_why before update on dba.%I %s dba.say_why()', table_name, for_people);
  execute format('create trigger tell_workers after update on dba.%I for each statement when (current_user <> ''rota_worker'') execute function dba.tell_workers(%L)', table_name, tells);
  execute format('grant select on dba.%I to rota_reader', table_name);
  execute format('grant insert, update, delete on dba.%I to rota_dba, rota_worker', table_name);
end
$$;
comment on function dba.adopt_ledger_table(text, text[], text, text) is 'For migrations: hangs refusals in words, dba.<table>_rules, notification and grants on a table that the system writes and of which people set a few columns.';

create function dba.bookmark_rules()
returns trigger
language plpgsql
as $$
begin
  if btrim(coalesce(new.reason, '')) = '' or tg_op = 'UPDATE' and new.reason is not distinct from old.reason then
    perform dba.refuse('a bookmark is moved by hand only with a reason', 'update dba.bookmark set value = …, reason = ''…'' where ….');
  end if;
  new.run_id := null;
  new.moved_at := clock_timestamp();
  new.moved_by := session_user;
  return new;
end
$$;
comment on function dba.bookmark_rules() is 'BEFORE trigger of dba.bookmark for people.';
create trigger a_people_may_set before update on dba.bookmark for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.people_may_set('{value,reason}', 'Set value and reason.');
create trigger m_bookmark_rules before insert or update on dba.bookmark for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.bookmark_rules();
create trigger z_say_why before insert or update on dba.bookmark for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.say_why();

create function dba.keep_bookmark_history()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    insert into dba.bookmarkhistory (job, config_name, bookmark_name, value, former_value, run_id, reason, moved_at, moved_by)
    values (old.job, old.config_name, old.bookmark_name, null, old.value, null, 'deleted', clock_timestamp(), session_user);
  elsif tg_op = 'INSERT' then
    insert into dba.bookmarkhistory (job, config_name, bookmark_name, value, former_value, run_id, reason, moved_at, moved_by)
    values (new.job, new.config_name, new.bookmark_name, new.value, null, new.run_id, new.reason, new.moved_at, new.moved_by);
  elsif new.value is distinct from old.value then
    insert into dba.bookmarkhistory (job, config_name, bookmark_name, value, former_value, run_id, reason, moved_at, moved_by)
    values (new.job, new.config_name, new.bookmark_name, new.value, old.value, new.run_id, new.reason, new.moved_at, new.moved_by);
  end if;
  return null;
end
$$;
comment on function dba.keep_bookmark_history() is 'AFTER trigger of dba.bookmark: every move is kept.';
create trigger keep_history after insert or update or delete on dba.bookmark for each row execute function dba.keep_bookmark_history();

create function dba.file_rules()
returns trigger
language plpgsql
as $$
begin
  if new.state is distinct from old.state then
    if new.state = 'retry' and old.state not in ('loaded', 'stored', 'duplicate', 'failed', 'quarantined', 'waiting', 'dismissed') then
      perform dba.refuse(format('file "%s" is %s, so there is nothing to retry', old.file_name, old.state), 'Retry a file that is loaded, stored, duplicate, failed, quarantined, waiting or dismissed.');
    elsif new.state = 'retry' and old.kept_path is null then
      perform dba.refuse(format('the bytes of file "%s" were not kept', old.file_name), 'Put the file into its source folder again.');
    elsif new.state = 'retry' and old.config_name is not null and not exists (select from dba.jobconfig c where c.job = old.job and c.config_name = old.config_name) then
      perform dba.refuse(format('config "%s", by which file "%s" was loaded, no longer exists', old.config_name, old.file_name),
        'Insert it again (dba.configaudit has it: dba.restore), or put the file into the source folder of another one.');
    elsif new.state = 'dismissed' and old.state not in ('failed', 'quarantined', 'waiting', 'retry', 'duplicate') then
      perform dba.refuse(format('file "%s" is %s, so there is nothing to dismiss', old.file_name, old.state), 'Dismiss a file that is failed, quarantined, waiting or duplicate.');
    elsif new.state not in ('retry', 'dismissed') then
      perform dba.refuse(format('a file cannot be set to "%s" by hand', new.state), 'Set state to retry (load the kept bytes again) or dismissed.', null, '42501');
    end if;
  end if;
  new.updated_at := clock_timestamp();
  return new;
end
$$;
comment on function dba.file_rules() is 'BEFORE trigger of dba.file for people.';

create function dba.dataset_rules()
returns trigger
language plpgsql
as $$
begin
  if new.state is distinct from old.state then
    if new.state = 'active' and old.state <> 'quarantined' then
      perform dba.refuse(format('dataset %s is %s; only a quarantined one is released', old.dataset_id, old.state), 'To load a file again: update dba.file set state = ''retry''.');
    elsif new.state = 'deleted' and old.state not in ('active', 'superseded', 'quarantined', 'empty') then
      perform dba.refuse(format('dataset %s is %s and has no rows to take out', old.dataset_id, old.state), 'Delete one that is active, superseded, quarantined or empty.');
    elsif new.state not in ('active', 'deleted') and not (old.state = 'active' and new.state = 'superseded' and pg_trigger_depth() > 1) then
      -- Within a trigger it is the release of a quarantined dataset, which ends those that it takes the place of.
      perform dba.refuse(format('a dataset cannot be set to "%s" by hand', new.state), 'Set deleted or active.', null, '42501');
    end if;
  end if;
  return new;
end
$$;
comment on function dba.dataset_rules() is 'BEFORE trigger of dba.dataset for people.';

create function dba.reject_rules()
returns trigger
language plpgsql
as $$
declare
  unknown text;
  columns constant text[] := array(select jsonb_object_keys(case when jsonb_typeof(old.raw) = 'object' then old.raw else '{}' end));
begin
  if new.state is distinct from old.state and new.state not in ('retry', 'dismissed', 'open') then
    perform dba.refuse(format('a reject cannot be set to "%s" by hand', new.state), 'Set state to retry or dismissed.', null, '42501');
  end if;
  if old.state = 'loaded' then
    perform dba.refuse(format('reject %s has been loaded', old.reject_id), 'Its row stands in the target now: correct it there.');
  end if;
  if new.fixed is not null and jsonb_typeof(new.fixed) <> 'object' then
    perform dba.refuse('fixed must be a JSON object of columns and values', format('Write the columns that you correct: %L.', jsonb_build_object(coalesce(old.column_name, columns[1], 'column'), '…')));
  end if;
  select key into unknown from jsonb_object_keys(coalesce(new.fixed, '{}')) key where key <> all (columns) order by key limit 1;
  if unknown is not null then
    perform dba.refuse(format('the row has no column "%s"', unknown), 'Name the columns as raw does. ' || dba.known_names_hint(unknown, columns));
  end if;
  select key into unknown from jsonb_each(coalesce(new.fixed, '{}')) where jsonb_typeof(value) in ('array', 'object') order by key limit 1;
  if unknown is not null then
    perform dba.refuse(format('the value of "%s" is no single value', unknown), 'Write text, a number, true, false or null; JSON for a column goes into quotes.');
  end if;
  if new.state = 'retry' and new.fixed is null then
    perform dba.refuse(format('reject %s has no corrected values', old.reject_id), 'Put them into fixed in the same UPDATE; to try the row as it came: fixed = raw.');
  end if;
  if new.state = 'retry' and old.file_id is null then
    perform dba.refuse(format('reject %s belongs to no file that is in the ledger', old.reject_id), 'Insert the row into the target by hand, and set state to dismissed.');
  end if;
  if (new.state, new.fixed) is distinct from (old.state, old.fixed) then
    new.decided_at := clock_timestamp();
    new.decided_by := session_user;
  end if;
  return new;
end
$$;
comment on function dba.reject_rules() is 'BEFORE trigger of dba.reject for people.';

select dba.adopt_ledger_table('file', '{state,reason}', 'Set state to retry or dismissed.', 'file');
select dba.adopt_ledger_table('reject', '{state,fixed}', 'Put the corrected values into fixed and set state to retry, or to dismissed.', 'reject');
select dba.adopt_ledger_table('dataset', '{state,reason}', 'Set state to deleted (its rows leave the target) or active (release a quarantined one).', 'dataset');

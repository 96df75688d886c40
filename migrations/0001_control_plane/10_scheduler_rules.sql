-- What a wrong row of dba.scheduler is told, and what a right one is answered at once.

create function dba.check_glob(glob text)
returns text
language plpgsql
immutable
as $$
declare
  letter text;
  square boolean := false;
  braces integer := 0;
  escaped boolean := false;
begin
  if glob is null or btrim(glob) = '' or length(glob) > 1000 then
    perform dba.refuse('a glob must have 1 to 1000 characters', 'Write for example inbox/prices/*.xlsx.');
  end if;
  if glob ~ '[[:cntrl:]]' then
    perform dba.refuse(format('glob "%s" holds a control character', left(glob, 100)), 'Write for example inbox/prices/*.xlsx.');
  end if;
  foreach letter in array string_to_array(glob, null) loop
    if escaped then
      escaped := false;
    elsif letter = '\' then
      escaped := true;
    elsif square then
      square := letter <> ']';
    elsif letter = '[' then
      square := true;
    elsif letter = '{' then
      braces := braces + 1;
    elsif letter = '}' then
      braces := braces - 1;
      exit when braces < 0;
    end if;
  end loop;
  if square or braces <> 0 or escaped then
    perform dba.refuse(
      format('glob "%s": %s', left(glob, 100), case when square then '"[" is not closed' when escaped then 'it ends in a backslash' when braces > 0 then '"{" is not closed' else '"}" closes nothing' end),
      'Use * for any characters, ? for one, [ab] for one of a set, {csv,xlsx} for one of several, ** for folders below.');
  end if;
  if glob ~ '(^|/)\.\.(/|$)' then
    perform dba.refuse(format('glob "%s" climbs out with ".."', left(glob, 100)), 'Write an absolute path, or one below the data folder.');
  end if;
  return glob;
end
$$;
comment on function dba.check_glob(text) is 'Refuses a glob that cannot be right, in words; else returns it.';

create function dba.check_regex(pattern text, what text default 'regular expression')
returns text
language plpgsql
immutable
as $$
declare
  -- What is escaped or stands in a class is one character, whatever it looks like.
  shape constant text := regexp_replace(pattern, '\\.|\[\^?\]?(?:[^]\\]|\\.)*\]', 'x', 'g');
begin
  perform '' ~ pattern;
  if shape ~ '\([^()]*([*+]|\{\d+,\d*\})[^()]*\)([*+]|\{\d+,\})' then
    perform dba.refuse(format('%s "%s" repeats a group that holds a repetition', what, left(pattern, 100)),
      'The workers could look for ever whether a text matches it. Write a+ in place of (a+)+.');
  end if;
  return pattern;
exception when invalid_regular_expression then
  perform dba.refuse(format('%s "%s" is not right: %s', what, left(pattern, 100), replace(sqlerrm, 'invalid regular expression: ', '')),
    'Parentheses and brackets come in pairs; a backslash before . * + ? ( ) [ ] { } | takes them literally. Try it: select ''text'' ~ ''pattern''.');
end
$$;
comment on function dba.check_regex(text, text) is 'Refuses a regular expression that Postgres cannot read, in words; else returns it.';

create function dba.check_args(of_job text, of_config text, args jsonb, laid_over jsonb default '{}')
returns void
language plpgsql
stable
as $$
declare
  job_row dba.job;
  columns text[];
  unknown text;
  broken text;
begin
  if jsonb_typeof(args) is distinct from 'object' then
    return;
  end if;
  select * into job_row from dba.job where job = of_job;
  if job_row.config_table is not null then
    select array_agg(attname::text) into columns
    from pg_catalog.pg_attribute
    where attrelid = format('dba.%I', job_row.config_table)::regclass and attnum > 0 and not attisdropped
      and attname <> all (dba.kept_columns(job_row.config_table) || '{config_name,is_active,description,owner}'::text[]);
  end if;
  columns := coalesce(columns, '{}') || job_row.args_allowed;
  select key into unknown from jsonb_object_keys(args) key where key <> all (columns) order by key limit 1;
  if unknown is not null then
    perform dba.refuse(format('job "%s" takes no args key "%s"', of_job, unknown), dba.known_names_hint(unknown, columns));
  end if;
  -- A job whose needs stand in args says itself what is wrong with them.
  if to_regprocedure(format('dba.%I(jsonb)', 'check_args_of_' || of_job)) is not null then
    execute format('select dba.%I($1)', 'check_args_of_' || of_job) using laid_over || args;
  end if;
  if job_row.config_table is not null and of_config is not null and args <> '{}' then
    -- The override must be as right as the settings row itself would have to be.
    begin
      execute format(
        'select (array_remove(array[%s]::text[], null))[1] from (select (jsonb_populate_record(c, $2)).* from dba.%I c where config_name = $1) as row_to_write',
        coalesce((
          select string_agg(format('case when not (%s) then %L end', pg_get_expr(conbin, conrelid), conname), ', ' order by conname)
          from pg_catalog.pg_constraint
          where conrelid = format('dba.%I', job_row.config_table)::regclass and contype = 'c'), 'null'),
        job_row.config_table)
      into broken using of_config, args;
    exception when data_exception then
      perform dba.refuse(format('args do not fit dba.%I: %s', job_row.config_table, sqlerrm), 'Write each value as that column takes it; \d+ or DBeaver shows the columns and their types.');
    end;
    if broken is not null then
      perform dba.refuse(
        format('args override dba.%I: %s', job_row.config_table, replace(broken, '_', ' ')),
        coalesce((select obj_description(oid, 'pg_constraint') from pg_catalog.pg_constraint where conrelid = format('dba.%I', job_row.config_table)::regclass and conname = broken), 'Correct the value.'));
    end if;
  end if;
end
$$;
comment on function dba.check_args(text, text, jsonb, jsonb) is 'Refuses args with a key that the job does not take, or with a value that its settings table would refuse.';

create function dba.check_run_after(schedule_name text, upstream text[])
returns void
language plpgsql
as $$
declare
  unknown text;
  path text;
begin
  select u into unknown from unnest(upstream) u where u is null or not exists (select from dba.scheduler s where s.schedule_name = u) and u <> check_run_after.schedule_name limit 1;
  if found then
    perform dba.refuse(format('run_after names no schedule "%s"', coalesce(unknown, 'null')), dba.known_names_hint(coalesce(unknown, ''), array(select s.schedule_name from dba.scheduler s)));
  end if;
  -- Two people may each write one half of a circle at once: writers of run_after take turns.
  perform pg_advisory_xact_lock(hashtext('dba.scheduler.run_after'));
  with recursive walk (name, path) as (
    select u, array[check_run_after.schedule_name, u] from unnest(upstream) u
    union all
    select next, w.path || next
    from walk w join dba.scheduler s on s.schedule_name = w.name, unnest(s.run_after) next
    where w.name <> check_run_after.schedule_name and not next = any (w.path[2:])
  )
  select array_to_string(w.path, ' → ') into path from walk w where w.name = check_run_after.schedule_name limit 1;
  if path is not null then
    perform dba.refuse(format('run_after of "%s" goes in a circle', schedule_name), 'Take one of these out of the run_after of another.', path || ' (each waits for the next)');
  end if;
end
$$;
comment on function dba.check_run_after(text, text[]) is 'Refuses upstream names that do not exist, and circles.';

create function dba.scheduler_rules()
returns trigger
language plpgsql
as $$
declare
  job_row dba.job;
  configs text[];
  fires_change boolean;
begin
  if tg_op = 'INSERT' then
    new.explained := null;
    new.config_message := null;
    new.paused_by := case when new.paused_until is not null then session_user end;
    if not dba.is_system() then
      new.generated_by := null;
    end if;
  else
    if old.generated_by is not null and not dba.is_system()
      and (new.schedule_name, new.job, new.config_name, new.cron, new.time_zone) is distinct from (old.schedule_name, old.job, old.config_name, old.cron, old.time_zone) then
      perform dba.refuse(format('schedule "%s" is made by %s', old.schedule_name, old.generated_by), format('Change it there: %s.', old.generated_by), null, '42501');
    end if;
    if not dba.is_system() and not pg_has_role(current_user, 'rota_dba', 'member')
      and to_jsonb(new) - dba.kept_columns('scheduler') - '{paused_until,pause_reason}'::text[] is distinct from to_jsonb(old) - dba.kept_columns('scheduler') - '{paused_until,pause_reason}'::text[] then
      perform dba.refuse('an operator may pause a schedule, not change what it does', 'Set paused_until and pause_reason only, or ask someone with role rota_dba.', null, '42501');
    end if;
    if new.paused_until is distinct from old.paused_until then
      new.paused_by := case when new.paused_until is not null then session_user end;
    end if;
  end if;

  select * into job_row from dba.job where job = new.job;
  if not found then
    perform dba.refuse(format('no job "%s"', coalesce(new.job, '')), dba.known_names_hint(coalesce(new.job, ''), array(select job from dba.job)), null, '23503');
  end if;
  if tg_op = 'INSERT' or (new.job, new.config_name, new.args) is distinct from (old.job, old.config_name, old.args) then
    if job_row.config_table is null and new.config_name is not null then
      perform dba.refuse(format('job "%s" has no settings table, so it takes no config', new.job), 'Leave config_name empty and write what it needs into args.');
    elsif job_row.config_table is not null then
      select array_agg(config_name) into configs from dba.jobconfig where job = new.job;
      if new.config_name is null then
        perform dba.refuse(format('job "%s" needs a config', new.job), format('Name a row of dba.%I in config_name. There is: %s.', job_row.config_table, dba.name_list(configs)));
      elsif new.config_name <> all (coalesce(configs, '{}')) then
        perform dba.refuse(format('job "%s" has no config "%s"', new.job, new.config_name),
          format('Insert it into dba.%I first. %s', job_row.config_table, dba.known_names_hint(new.config_name, configs)), null, '23503');
      end if;
    end if;
    perform dba.check_args(new.job, new.config_name, new.args);
  end if;
  if new.time_zone is not null and not exists (select from dba.timezone where time_zone = new.time_zone) then
    perform dba.refuse(format('time zone "%s" is not known', new.time_zone),
      coalesce('Did you mean "' || dba.nearest_name(new.time_zone, array(select time_zone from dba.timezone)) || '"? ', '') || 'Write an IANA name such as Europe/Warsaw: select * from dba.timezone.');
  end if;
  if new.calendar is not null and not exists (select from dba.calendar c where c.calendar = new.calendar) then
    perform dba.refuse(format('no calendar "%s"', new.calendar), dba.known_names_hint(new.calendar, array(select calendar from dba.calendar)), null, '23503');
  end if;
  if new.lane is not null and not exists (select from dba.lane l where l.lane = new.lane) then
    perform dba.refuse(format('no lane "%s"', new.lane), 'Insert it into dba.lane first. ' || dba.known_names_hint(new.lane, array(select lane from dba.lane)), null, '23503');
  end if;
  if new.cron is not null then
    perform dba.check_cron(new.cron);
  end if;
  if new.on_file is not null then
    perform dba.check_glob(new.on_file);
  end if;
  if new.run_after is not null and (tg_op = 'INSERT' or (new.run_after, new.schedule_name) is distinct from (old.run_after, old.schedule_name)) then
    perform dba.check_run_after(new.schedule_name, new.run_after);
  end if;

  fires_change := tg_op = 'INSERT'
    or (new.cron, new.time_zone, new.dst_gap, new.dst_fold, new.calendar, new.on_holiday, new.is_active, new.paused_until)
       is distinct from (old.cron, old.time_zone, old.dst_gap, old.dst_fold, old.calendar, old.on_holiday, old.is_active, old.paused_until);
  if fires_change then
    select (array_agg(f.due_at order by f.due_at))[1], array_agg(dba.local_time_text(f.due_at, new.time_zone) order by f.due_at)
    into new.next_fire_at, new.next_fires
    from dba.coming_fires(new, greatest(clock_timestamp(), new.paused_until - interval '1 microsecond'), 5) f
    where new.is_active and f.state = 'planned' and new.time_zone is not null and new.dst_gap is not null and new.dst_fold is not null;
  end if;
  new.config_state := 'unchecked';
  return new;
end
$$;
comment on function dba.scheduler_rules() is 'BEFORE trigger of dba.scheduler: refuses a wrong row in words and answers a right one with its next fires.';
create trigger m_scheduler_rules before insert or update on dba.scheduler for each row when (current_user <> 'rota_worker') execute function dba.scheduler_rules();

create function dba.schedule_named()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  waiting text[];
begin
  if tg_op = 'INSERT' then
    -- One that was deleted and is restored finds its former place.
    insert into dba.plan (schedule_id, planned_through) values (new.schedule_id, new.created_at)
    on conflict (schedule_id) do update
    set planned_version = null, planned_calendar_version = null, planned_through = clock_timestamp(), refill_at = null, waits_since = clock_timestamp(),
        answered_version = null, answered_config_version = null, answered_at = null;
    return null;
  end if;
  if tg_op = 'UPDATE' then
    update dba.scheduler set run_after = array_replace(run_after, old.schedule_name, new.schedule_name) where run_after @> array[old.schedule_name];
    return null;
  end if;
  select array_agg(schedule_name) into waiting from dba.scheduler where run_after @> array[old.schedule_name] and schedule_id <> old.schedule_id;
  if waiting is not null then
    perform dba.refuse(format('schedule "%s" is awaited by %s', old.schedule_name, dba.name_list(waiting)),
      'Take it out of their run_after first.', null, '23503');
  end if;
  return old;
end
$$;
comment on function dba.schedule_named() is 'Gives a new schedule its place in dba.plan, takes references along on a rename, and keeps a schedule that others wait for.';
create trigger schedule_made after insert on dba.scheduler for each row execute function dba.schedule_named();
create trigger schedule_renamed after update of schedule_name on dba.scheduler for each row when (new.schedule_name <> old.schedule_name) execute function dba.schedule_named();
create trigger schedule_deleted before delete on dba.scheduler for each row execute function dba.schedule_named();

create function dba.rename_runs()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.run set schedule_name = new.schedule_name
  where schedule_id = new.schedule_id and state in ('planned', 'waiting', 'queued', 'running') and schedule_name <> new.schedule_name;
  return null;
end
$$;
comment on function dba.rename_runs() is 'Gives the runs that are planned or open the new name of their schedule.';
-- At the commit: while the transaction is open, perhaps for hours in a client, the runs are free to start.
create constraint trigger rename_runs after update on dba.scheduler deferrable initially deferred for each row
  when (new.schedule_name <> old.schedule_name) execute function dba.rename_runs();

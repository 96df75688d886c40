-- What every table that people write has in common.

create function dba.tell_workers()
returns trigger
language plpgsql
as $$
begin
  perform pg_notify('rota', tg_argv[0]);
  return null;
end
$$;
comment on function dba.tell_workers() is 'AFTER statement trigger: wakes the workers when the transaction commits.';

create function dba.adopt_people_table(table_name text, name_columns text, keeps_record boolean default true)
returns void
language plpgsql
as $$
declare
  answered constant text[] := dba.answered_columns(table_name);
begin
  if keeps_record then
    execute format('comment on column dba.%I.created_at is %L', table_name, 'When the row was inserted. Kept by Rota.');
    execute format('comment on column dba.%I.created_by is %L', table_name, 'Who inserted it. Kept by Rota.');
    execute format('comment on column dba.%I.updated_at is %L', table_name, 'When a person last changed it. Kept by Rota.');
    execute format('comment on column dba.%I.updated_by is %L', table_name, 'Who changed it. Kept by Rota.');
    execute format('comment on column dba.%I.version is %L', table_name, 'Counted up by every change of a person. Kept by Rota.');
    execute format('create trigger a_keep_record before insert or update on dba.%I for each row when (current_user <> ''rota_worker'') execute function dba.keep_record(%L)', table_name, answered);
  end if;
  execute format('create trigger z_say_why before insert or update on dba.%I for each row when (current_user <> ''rota_worker'') execute function dba.say_why()', table_name);
  execute format('create trigger audit after insert or update or delete on dba.%I for each row when (current_user <> ''rota_worker'') execute function dba.audit_change(%L, %L)', table_name, name_columns, answered);
  execute format('create trigger tell_workers after insert or update or delete on dba.%I for each statement when (current_user <> ''rota_worker'') execute function dba.tell_workers(%L)', table_name, table_name);
  execute format('grant select on dba.%I to rota_reader', table_name);
  execute format('grant select, insert, update, delete on dba.%I to rota_dba, rota_worker', table_name);
end
$$;
comment on function dba.adopt_people_table(text, text, boolean) is 'For migrations: hangs record, refusals in words, audit, notification and grants on a table that people write.';

-- Refusals of a DELETE in words, where a foreign key would only name itself.
create function dba.refuse_delete_in_use()
returns trigger
language plpgsql
as $$
declare
  of_column constant text := tg_argv[0];
  name constant text := to_jsonb(old) ->> of_column;
  users text[];
begin
  execute format('select array_agg(schedule_name) from dba.scheduler where %I = $1', of_column) into users using name;
  if users is not null then
    perform dba.refuse(
      format('%s "%s" is used by schedule %s', of_column, name, dba.name_list(users)),
      format('Give those schedules another %s first: update dba.scheduler set %1$s = … where %1$s = %L.', of_column, name), null, '23503');
  end if;
  return old;
end
$$;
comment on function dba.refuse_delete_in_use() is 'BEFORE DELETE trigger of what schedules name: says which schedules still do.';
create trigger refuse_delete_in_use before delete on dba.calendar for each row execute function dba.refuse_delete_in_use('calendar');
create trigger refuse_delete_in_use before delete on dba.lane for each row execute function dba.refuse_delete_in_use('lane');

select dba.adopt_people_table('calendar', 'calendar');
select dba.adopt_people_table('calendarday', 'calendar,day', false);
select dba.adopt_people_table('lane', 'lane');
select dba.adopt_people_table('connection', 'connection_name');
select dba.adopt_people_table('setting', 'name', false);
select dba.adopt_people_table('scheduler', 'schedule_name');

create function dba.calendarday_rules()
returns trigger
language plpgsql
as $$
begin
  if not exists (select from dba.calendar c where c.calendar = new.calendar) then
    perform dba.refuse(format('no calendar "%s"', new.calendar), dba.known_names_hint(new.calendar, array(select c.calendar from dba.calendar c)), null, '23503');
  end if;
  return new;
end
$$;
comment on function dba.calendarday_rules() is 'BEFORE trigger of dba.calendarday.';
create trigger m_calendarday_rules before insert or update on dba.calendarday for each row execute function dba.calendarday_rules();

-- A new holiday is a new version of its calendar: schedules that keep to it are planned anew.
create trigger calendar_touched after insert or update or delete on dba.calendarday for each row execute function dba.count_up_version('calendar', 'calendar');

create function dba.lane_rules()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' or new.paused_until is distinct from old.paused_until then
    new.paused_by := case when new.paused_until is not null then session_user end;
  end if;
  if tg_op = 'UPDATE' and not pg_has_role(current_user, 'rota_dba', 'member') and not dba.is_system()
    and (new.lane, new.description) is distinct from (old.lane, old.description) then
    perform dba.refuse('an operator may pause a lane, not change what it is', 'Set paused_until and pause_reason only, or ask someone with role rota_dba.', null, '42501');
  end if;
  return new;
end
$$;
comment on function dba.lane_rules() is 'BEFORE trigger of dba.lane.';
create trigger m_lane_rules before insert or update on dba.lane for each row when (current_user <> 'rota_worker') execute function dba.lane_rules();

create function dba.connection_rules()
returns trigger
language plpgsql
as $$
begin
  if not exists (select from dba.lane l where l.lane = new.lane) then
    perform dba.refuse(format('no lane "%s"', new.lane), dba.known_names_hint(new.lane, array(select l.lane from dba.lane l)), null, '23503');
  end if;
  -- password_field names a field of a form, and the address of a token server is none.
  if regexp_replace(new.options::text, '"(password_field|token_url)"', '', 'g') ~* '"[^"]*(password|passwd|secret|token|api_?key)[^"]*"\s*:' then
    perform dba.refuse('options of a connection hold no secret', 'Set it with: rota secret set <name>, and name it in dba.connection.secret_name.');
  end if;
  if tg_op = 'INSERT' then
    new.checked_at := null;
    new.check_message := null;
  end if;
  new.check_state := 'unchecked';
  new.tried_until := null;
  return new;
end
$$;
comment on function dba.connection_rules() is 'BEFORE trigger of dba.connection.';
create trigger m_connection_rules before insert or update on dba.connection for each row when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.connection_rules();

create function dba.setting_rules()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    perform dba.refuse(format('no setting "%s"', new.name), dba.known_names_hint(new.name, array(select s.name from dba.setting s)));
  end if;
  if tg_op = 'DELETE' then
    perform dba.refuse(format('setting "%s" cannot be deleted', old.name), format('To unset it: update dba.setting set value = null where name = %L.', old.name));
  end if;
  if (new.name, new.description) is distinct from (old.name, old.description) then
    perform dba.refuse('only the value of a setting can be changed', 'update dba.setting set value = … where name = ….');
  end if;
  if new.name in ('home', 'live_since') and not dba.is_system() then
    perform dba.refuse(format('setting "%s" is kept by Rota', new.name), 'To make this database the live one: update dba.setting set value = ''true'' where name = ''is_live''.', null, '42501');
  end if;
  if new.name = 'time_zone' and not exists (select from dba.timezone where time_zone = new.value) then
    perform dba.refuse(format('time zone "%s" is not known', coalesce(new.value, '')), dba.known_names_hint(coalesce(new.value, ''), array(select time_zone from dba.timezone)));
  elsif new.name = 'is_live' then
    if coalesce(new.value, '') not in ('true', 'false') then
      perform dba.refuse(format('is_live is "%s"', coalesce(new.value, '')), 'Write true or false.');
    end if;
  elsif new.name like 'retention%' or new.name in ('alert_repeat', 'secret_warning', 'connection_check') then
    begin
      if new.value::interval <= '0' then
        raise invalid_text_representation;
      end if;
    exception when invalid_text_representation or invalid_datetime_format or datetime_field_overflow then
      perform dba.refuse(format('%s is "%s", which is no length of time', new.name, new.value), 'Write an interval: 90 days.');
    end;
  elsif new.name = 'quiet_hours' and new.value !~ '^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$' then
    perform dba.refuse(format('quiet_hours is "%s"', new.value), 'Write from-to: 22:00-06:00.');
  elsif new.name = 'digest_at' and new.value !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$' then
    perform dba.refuse(format('digest_at is "%s"', new.value), 'Write a time of day: 07:00.');
  elsif new.name in ('alert_storm', 'alert_band', 'min_free_bytes', 'min_free_percent') and coalesce(new.value, '') !~ '^[0-9]{1,18}([.][0-9]+)?$' then
    perform dba.refuse(format('%s is "%s", which is no number', new.name, coalesce(new.value, '')), 'Write a number: 5.');
  elsif new.name = 'mail_sender' and not dba.is_mail_address(new.value) then
    perform dba.refuse(format('mail_sender is "%s", which is no mail address', new.value), 'Write one address: Rota <rota@example.com>.');
  elsif new.name = 'mail_connection' and not exists (select from dba.connection c where c.connection_name = new.value and c.kind in ('smtp', 'gmail', 'folder')) and new.value is not null then
    perform dba.refuse(format('mail_connection names no connection "%s" of kind smtp, gmail or folder', new.value),
      dba.known_names_hint(new.value, array(select c.connection_name from dba.connection c where c.kind in ('smtp', 'gmail', 'folder'))));
  elsif new.name in ('public_address', 'heartbeat_url') and new.value !~ '^https?://[^[:space:]]+$' then
    perform dba.refuse(format('%s is "%s", which is no address', new.name, new.value), 'Write an address that begins with https:// or http://.');
  end if;
  new.updated_at := clock_timestamp();
  new.updated_by := session_user;
  return new;
end
$$;
comment on function dba.setting_rules() is 'BEFORE trigger of dba.setting: known names, values that make sense.';
create trigger m_setting_rules before insert or update or delete on dba.setting for each row when (current_user <> 'rota_worker') execute function dba.setting_rules();

-- A copy of the database does nothing on its own; a person makes it the live one.
create function dba.adopt_home()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- The first home of a new database is no move: what was asked for before the first worker came still runs.
  update dba.setting set value = clock_timestamp()::text
  where name = 'live_since' and (select h.value is not null from dba.setting h where h.name = 'home');
  update dba.setting set value = dba.this_home() where name = 'home';
  -- What was open when the copy was made goes on in the original; here it never ran to its end.
  update dba.run
  set state = 'missed', finished_at = clock_timestamp(), waits_for = null,
      reason = 'this database is a restored copy; it became the live one at ' || to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
  where state in ('waiting', 'queued') and attempt = 0;
  with stopped as (
    update dba.run
    set state = 'failed', finished_at = clock_timestamp(),
        error_code = 'copied_database', error_message = 'the run was going on when this copy of the database was made',
        error_hint = 'If it shall run here: select dba.rerun(run_id).'
    where state = 'running' or state in ('waiting', 'queued')
    returning run_id, attempt
  )
  update dba.attempt a
  set finished_at = clock_timestamp(), outcome = 'lost', error_code = 'copied_database', error_message = 'the run was going on when this copy of the database was made'
  from stopped s
  where a.run_id = s.run_id and a.attempt = s.attempt and a.finished_at is null;
end
$$;
comment on function dba.adopt_home() is 'Makes this database the live one. People say: update dba.setting set value = ''true'' where name = ''is_live''.';

create function dba.is_home()
returns boolean
language sql
stable
as $$
  select coalesce((select value = 'true' from dba.setting where name = 'is_live'), false)
     and coalesce((select value = dba.this_home() from dba.setting where name = 'home'), true)
$$;
comment on function dba.is_home() is 'May schedules fire here? False on a restored copy and while dba.setting.is_live is false.';

create function dba.setting_taken()
returns trigger
language plpgsql
as $$
begin
  if new.value = 'true' and (select value is distinct from dba.this_home() from dba.setting where name = 'home') then
    perform dba.adopt_home();
  end if;
  return null;
end
$$;
comment on function dba.setting_taken() is 'AFTER trigger of dba.setting: is_live set to true on a copy makes it the live one.';
create trigger setting_taken after update on dba.setting for each row when (new.name = 'is_live' and current_user <> 'rota_worker') execute function dba.setting_taken();

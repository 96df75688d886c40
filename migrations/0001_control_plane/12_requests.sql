-- What people call to make something happen. They act with the caller's rights: the triggers of dba.run and dba.scheduler judge them like any other write.

create function dba.find_schedule(schedule text)
returns dba.scheduler
language plpgsql
stable
as $$
declare
  found_row dba.scheduler;
begin
  select * into found_row from dba.scheduler s where s.schedule_name = find_schedule.schedule;
  if not found then
    perform dba.refuse(format('no schedule "%s"', coalesce(schedule, '')), dba.schedule_hint(schedule), null, '23503');
  end if;
  return found_row;
end
$$;
comment on function dba.find_schedule(text) is 'The row of a schedule by its name; refuses a name that does not exist, with the nearest one.';

create function dba.schedule_hint(schedule text)
returns text
language sql
stable
as $$
  select coalesce(
    (select format('It was deleted by %s; to bring it back: select dba.restore(%s).', a.changed_by, a.audit_id)
     from dba.configaudit a
     where a.table_name = 'scheduler' and a.row_key = schedule_hint.schedule and a.after is null
     order by a.audit_id desc limit 1),
    (select format('It is called "%s" now.', s.schedule_name)
     from dba.configaudit a join dba.scheduler s on s.schedule_id = (a.before ->> 'schedule_id')::bigint
     where a.table_name = 'scheduler' and a.row_key = schedule_hint.schedule
     order by a.audit_id desc limit 1),
    dba.known_names_hint(coalesce(schedule, ''), array(select s.schedule_name from dba.scheduler s)))
$$;
comment on function dba.schedule_hint(text) is 'What became of a schedule that is not there: deleted, renamed, or never known; then the nearest name and the list.';

create function dba.require_operator(doing text)
returns void
language plpgsql
stable
as $$
begin
  if not pg_has_role(current_user, 'rota_operator', 'member') then
    perform dba.refuse(format('role "%s" may not %s', current_user, doing), 'Ask someone with role rota_operator or rota_dba.', null, '42501');
  end if;
end
$$;
comment on function dba.require_operator(text) is 'Refuses, in words, whoever may only read.';

create function dba.run_now(schedule text, args jsonb default '{}', reason text default null)
returns uuid
language plpgsql
as $$
declare
  new_run uuid;
begin
  perform dba.require_operator('ask for runs');
  insert into dba.run (schedule_name, args, requested_reason)
  values ((dba.find_schedule(schedule)).schedule_name, coalesce(run_now.args, '{}'), reason)
  returning run_id into new_run;
  return new_run;
end
$$;
comment on function dba.run_now(text, jsonb, text) is 'Runs a schedule now, also a paused one: select dba.run_now(''load prices''). With overrides: select dba.run_now(''load prices'', ''{"header_row": 3}''). Returns the run; it waits for one that is going on.';

create function dba.rerun(run_id uuid, reason text default null)
returns uuid
language plpgsql
as $$
declare
  new_run uuid;
begin
  perform dba.require_operator('ask for runs');
  if rerun.run_id is null then
    perform dba.refuse('a rerun needs the run that it shall repeat', 'Look for it: select run_id, * from dba.recent_run.');
  end if;
  insert into dba.run (rerun_of, requested_reason) values (rerun.run_id, reason) returning dba.run.run_id into new_run;
  return new_run;
end
$$;
comment on function dba.rerun(uuid, text) is 'Runs an ended run again, with the same args and as_of = the fire it stood for: select dba.rerun(run_id) from dba.recent_run where …. Returns the new run.';

create function dba.cancel(run_id uuid, reason text default null)
returns text
language plpgsql
as $$
declare
  stopped dba.run;
begin
  perform dba.require_operator('cancel runs');
  update dba.run r
  set cancel_requested = true, requested_reason = coalesce(cancel.reason, r.requested_reason)
  where r.run_id = cancel.run_id and not r.cancel_requested
  returning * into stopped;
  if found and stopped.state = 'cancelled' then
    return format('Run %s of "%s" is cancelled; it had not begun.', stopped.run_id, stopped.schedule_name);
  elsif found then
    return format('Run %s of "%s" was told to stop; its worker ends it within seconds.', stopped.run_id, stopped.schedule_name);
  end if;
  select * into stopped from dba.run r where r.run_id = cancel.run_id;
  if not found then
    perform dba.refuse(format('no run %s', coalesce(cancel.run_id::text, 'null')), 'Look for it: select run_id, * from dba.next_run, or dba.recent_run where state = ''running''.');
  elsif stopped.state = 'running' then
    return format('Run %s of "%s" was told to stop already, by %s.', stopped.run_id, stopped.schedule_name, coalesce(stopped.requested_by, 'Rota'));
  end if;
  return format('Run %s of "%s" has already ended: %s.', stopped.run_id, stopped.schedule_name, stopped.state);
end
$$;
comment on function dba.cancel(uuid, text) is 'Stops a run, its retries too: select dba.cancel(run_id, ''wrong file'') from dba.recent_run where state = ''running''. Says what became of it.';

create function dba.pause(schedule text, until text default null, reason text default null)
returns text
language plpgsql
as $$
declare
  terms dba.scheduler;
  open_runs bigint;
begin
  perform dba.require_operator('pause schedules');
  terms := dba.find_schedule(schedule);
  update dba.scheduler s
  set paused_until = dba.parse_until(until, terms.time_zone), pause_reason = pause.reason
  where s.schedule_id = terms.schedule_id
  returning * into terms;
  select count(*) into open_runs from dba.run r where r.schedule_id = terms.schedule_id and r.state in ('waiting', 'queued', 'running');
  return format('Schedule "%s" is paused %s%s%s.', terms.schedule_name,
    case when terms.paused_until = 'infinity' then format('until somebody says: select dba.resume(%L)', terms.schedule_name)
      else 'until ' || dba.local_time_text(date_trunc('second', terms.paused_until), terms.time_zone) end,
    coalesce(': ' || terms.pause_reason, ''),
    case when open_runs > 0 then '. What is open goes on; to stop it: select dba.cancel(run_id)' else '' end);
end
$$;
comment on function dba.pause(text, text, text) is 'Pauses a schedule; its fires are skipped and not caught up: select dba.pause(''load prices'', ''2 hours'', ''storage move''). until: a time in the zone of the schedule (2026-12-24 06:20, 18:30), a length of time, or left out: until somebody resumes it.';

create function dba.parse_until(until text, time_zone text)
returns timestamptz
language plpgsql
stable
as $$
declare
  moment timestamptz;
begin
  if until is null or lower(btrim(until)) in ('', 'infinity', 'forever') then
    return 'infinity';
  end if;
  -- A length of time names its unit; a bare 18:30 is a time of day, today or else tomorrow.
  if until ~* '^\s*(\d+([.]\d+)?\s*[a-z]+[\s,]*)+$' or until ~* '^\s*P[T0-9]' then
    begin
      moment := date_trunc('second', statement_timestamp()) + until::interval;
    exception when invalid_datetime_format or datetime_field_overflow or interval_field_overflow then
      perform dba.refuse(format('"%s" is neither a length of time nor a moment', until), 'Write 2 hours, 90 minutes or 1 day; or a moment: 2026-12-24 06:20.');
    end;
  else
    moment := dba.parse_moment(until, time_zone);
    if moment <= statement_timestamp() and until ~ '^\s*\d{1,2}:\d{2}(:\d{2})?\s*$' then
      moment := ((moment at time zone time_zone) + interval '1 day') at time zone time_zone;
    end if;
  end if;
  if moment <= statement_timestamp() then
    perform dba.refuse(format('%s lies in the past', dba.local_time_text(moment, time_zone)), 'Say until when it shall be paused; to end a pause: select dba.resume(''…'').');
  end if;
  return moment;
end
$$;
comment on function dba.parse_until(text, text) is 'The end of a pause as a person typed it: a moment in that zone, a length of time from now, or nothing for infinity.';

create function dba.resume(schedule text)
returns text
language plpgsql
as $$
declare
  former dba.scheduler;
  terms dba.scheduler;
begin
  perform dba.require_operator('resume schedules');
  former := dba.find_schedule(schedule);
  if former.paused_until is null or former.paused_until <= statement_timestamp() then
    return format('Schedule "%s" is not paused%s.', former.schedule_name, case when not former.is_active then '; it is switched off: is_active is false' else '' end);
  end if;
  update dba.scheduler s set paused_until = null, pause_reason = null where s.schedule_id = former.schedule_id returning * into terms;
  return format('Schedule "%s" goes on%s.', terms.schedule_name,
    case
      when not terms.is_active then ', but it is switched off: is_active is false'
      when terms.next_fire_at is not null then ' and fires next at ' || dba.local_time_text(terms.next_fire_at, terms.time_zone)
      else ''
    end);
end
$$;
comment on function dba.resume(text) is 'Ends the pause of a schedule: select dba.resume(''load prices''). Fires that were skipped meanwhile stay skipped; to run them: dba.backfill.';

create function dba.check_connection(name text)
returns text
language plpgsql
as $$
declare
  of_lane text;
begin
  perform dba.require_operator('have connections checked');
  select c.lane into of_lane from dba.connection c where c.connection_name = check_connection.name;
  if not found then
    perform dba.refuse(format('no connection "%s"', coalesce(name, '')),
      dba.known_names_hint(coalesce(name, ''), array(select c.connection_name from dba.connection c)), null, '23503');
  end if;
  perform dba.ask_for_check(name);
  return format('A worker of lane "%s" tries it now%s. The answer stands in a moment in: select check_state, check_message, checked_at from dba.connection where connection_name = %L.',
    of_lane, case when dba.lane_is_alive(of_lane) then '' else ' (none is up; it is tried when one starts)' end, name);
end
$$;
comment on function dba.check_connection(text) is 'Has a worker try a connection: select dba.check_connection(''warehouse''). The answer comes as check_state and check_message of dba.connection.';

-- Rests on the right to execute it, which 15_grants.sql gives to rota_operator alone.
create function dba.ask_for_check(name text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$ update dba.connection set check_state = 'asked' where connection_name = ask_for_check.name $$;
comment on function dba.ask_for_check(text) is 'Marks a connection to be tried by a worker. People call dba.check_connection.';

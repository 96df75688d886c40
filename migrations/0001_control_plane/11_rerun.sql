-- What a rerun takes over from the run that it repeats. dba.fill_request asks; no caller can make it up.

create function dba.schedule_to_repeat(of_run uuid)
returns bigint
language plpgsql
stable
as $$
declare
  original dba.run;
  deletion dba.configaudit;
begin
  select * into original from dba.run r where r.run_id = of_run;
  if not found then
    perform dba.refuse(format('no run %s', of_run), 'Look for it: select run_id, * from dba.recent_run.', null, '23503');
  end if;
  if not exists (select from dba.scheduler s where s.schedule_id = original.schedule_id) then
    select * into deletion from dba.configaudit a
    where a.table_name = 'scheduler' and a.after is null and a.before ->> 'schedule_id' = original.schedule_id::text
    order by a.audit_id desc limit 1;
    perform dba.refuse(format('schedule "%s" of that run is gone', original.schedule_name),
      coalesce('To bring it back: select dba.restore(' || deletion.audit_id || ').', 'Insert it into dba.scheduler again.'),
      'It was deleted by ' || deletion.changed_by || ' at ' || to_char(deletion.changed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') || '.', '23503');
  end if;
  return original.schedule_id;
end
$$;
comment on function dba.schedule_to_repeat(uuid) is 'The schedule of a run that shall be repeated; refuses when the run or its schedule is not there.';

create function dba.args_to_repeat(of_run uuid, of_schedule bigint)
returns jsonb
language plpgsql
stable
as $$
declare
  original dba.run;
begin
  if of_run is null then
    return '{}';
  end if;
  select * into original from dba.run r where r.run_id = of_run;
  if not found then
    perform dba.refuse(format('no run %s', of_run), 'Look for it: select run_id, * from dba.recent_run.', null, '23503');
  elsif original.schedule_id <> of_schedule then
    perform dba.refuse(format('run %s is one of "%s"', of_run, original.schedule_name), 'A rerun belongs to the schedule of the run that it repeats.');
  elsif original.state in ('planned', 'waiting', 'queued', 'running') then
    perform dba.refuse(format('run %s has not ended: it is %s', of_run, original.state),
      format('Wait for its end, or stop it: select dba.cancel(%L). To run the schedule besides: select dba.run_now(%L).', of_run, original.schedule_name));
  elsif original.missed_count is not null then
    perform dba.refuse(format('run %s stands for %s missed fires', of_run, original.missed_count),
      format('To run them: select * from dba.backfill(%L, %L, %L).', original.schedule_name,
        to_char(original.missed_from at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'), to_char(original.missed_until at time zone 'UTC' + interval '1 second', 'YYYY-MM-DD HH24:MI:SS"+00"')));
  end if;
  -- A rerun of a rerun still stands for the first fire.
  return dba.as_of(original.scheduled_for) || original.args;
end
$$;
comment on function dba.args_to_repeat(uuid, bigint) is 'The args of a run that shall be repeated, with as_of = the fire it stood for; refuses while it has not ended.';

create function dba.as_of(fire timestamptz)
returns jsonb
language sql
stable
as $$
  select jsonb_build_object('as_of', case when fire = date_trunc('second', fire) then dba.fire_key(fire)
    else to_char(fire at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') end)
$$;
comment on function dba.as_of(timestamptz) is 'The args by which a rerun knows the fire it stands for: {"as_of": "2026-12-24T05:20:00Z"}.';

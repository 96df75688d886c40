-- Runs that people ask for of a config rather than of a schedule: files and rows that shall be loaded again, a file or a dry run by name.

create function dba.request_schedule(of_job text, of_config text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  maker constant text := 'requests for ' || coalesce((select 'dba.' || j.config_table from dba.job j where j.job = of_job), of_job);
  name constant text := left(of_config, 180) || ' (on request)';
  found_id bigint;
begin
  select s.schedule_id into found_id from dba.scheduler s where s.job = of_job and s.config_name = of_config and s.generated_by = maker;
  if found then
    return found_id;
  end if;
  -- A config that somebody renames at this moment is left until that is done, rather than waited for.
  perform from dba.jobconfig c where c.job = of_job and c.config_name = of_config for key share skip locked;
  if not found then
    return null;
  end if;
  insert into dba.scheduler (schedule_name, job, config_name, overlap, timeout, lane, description, generated_by)
  values (name, of_job, of_config, 'allow', '23 hours',
    coalesce((select s.lane from dba.scheduler s where s.job = of_job and s.config_name = of_config order by s.is_active desc, s.schedule_id limit 1), 'default'),
    'Carries the runs that people ask for by the name of the config: files loaded again, single files, dry runs. It has no cron.', maker)
  on conflict on constraint a_schedule_name_stands_for_one_schedule do nothing
  returning schedule_id into found_id;
  if found_id is null then
    select s.schedule_id into found_id from dba.scheduler s where s.job = of_job and s.config_name = of_config and s.generated_by = maker;
    if not found then
      perform dba.refuse(format('schedule "%s" is needed for requests, and somebody else''s has its name', name), 'Give that one another name: update dba.scheduler set schedule_name = ….');
    end if;
  end if;
  return found_id;
end
$$;
comment on function dba.request_schedule(text, text) is 'The schedule that carries what people ask of a config, made when it is missing; null while somebody renames the config. For functions of Rota.';

create function dba.write_request_run(of_job text, of_config text, args jsonb, reason text, run_id uuid default gen_random_uuid())
returns uuid
language plpgsql
as $$
declare
  of_schedule constant bigint := dba.request_schedule(of_job, of_config);
begin
  if of_schedule is null then
    perform dba.refuse(format('config "%s" is being renamed', of_config), 'Ask again when that transaction has ended.', null, '55P03');
  end if;
  insert into dba.run (run_id, schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, args, requested_by, requested_reason)
  select write_request_run.run_id, s.schedule_id, s.schedule_name, s.job, s.config_name, 'request', write_request_run.run_id::text, clock_timestamp(), clock_timestamp(),
    dba.local_time_text(date_trunc('second', clock_timestamp()), s.time_zone), write_request_run.args, session_user, reason
  from dba.scheduler s
  where s.schedule_id = of_schedule;
  return write_request_run.run_id;
end
$$;
comment on function dba.write_request_run(text, text, jsonb, text, uuid) is 'Writes the run of what somebody asked of a config rather than of a schedule. For functions of Rota, which have judged it; returns the run.';

create function dba.plan_retries()
returns integer
language plpgsql
as $$
declare
  wanted record;
  made integer := 0;
begin
  -- What a person set to retry is loaded by the next run of its config; where no run is coming, one is made.
  for wanted in
    with asked as (
      select f.job, f.config_name, 'retry ' || f.file_id as what, 'files were set to retry' as why, f.updated_at as asked_at
      from dba.file f
      where f.state = 'retry'
      union all
      select f.job, f.config_name, 'retry of row ' || r.reject_id, 'refused rows were corrected', r.decided_at
      from dba.reject r
      join dba.file f using (file_id)
      where r.state = 'retry' and f.state = 'loaded'
    ), latest as (
      select distinct on (a.job, a.config_name) a.* from asked a order by a.job, a.config_name, a.asked_at desc nulls last
    )
    select l.*, s.schedule_id
    from latest l
    left join lateral (
      select s.schedule_id from dba.scheduler s
      where s.job = l.job and s.config_name = l.config_name
      order by s.is_active desc, s.schedule_id limit 1
    ) s on true
  loop
    wanted.schedule_id := coalesce(wanted.schedule_id, dba.request_schedule(wanted.job, wanted.config_name));
    continue when wanted.schedule_id is null
      or exists (select from dba.run r where r.schedule_id = wanted.schedule_id and r.state in ('waiting', 'queued') and r.trigger in ('request', 'cron') and not r.args ? 'file');
    insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, args, requested_by, requested_reason)
    select s.schedule_id, s.schedule_name, s.job, s.config_name, 'request', format('%s %s', wanted.what, extract(epoch from wanted.asked_at)),
      clock_timestamp(), clock_timestamp(), dba.local_time_text(date_trunc('second', clock_timestamp()), s.time_zone),
      -- A job that goes out for more data is not asked to do so because of one file.
      case when 'only_retries' = any (j.args_allowed) then jsonb '{"only_retries": true}' else '{}' end, 'rota', wanted.why
    from dba.scheduler s join dba.job j on j.job = s.job
    where s.schedule_id = wanted.schedule_id
    on conflict on constraint a_fire_runs_once do nothing;
    made := made + case when found then 1 else 0 end;
  end loop;
  return made;
end
$$;
comment on function dba.plan_retries() is 'Makes runs for files and rows that were set to retry; returns how many.';

revoke execute on function dba.request_schedule(text, text), dba.write_request_run(text, text, jsonb, text, uuid) from rota_reader, public;

-- Runs that no clock makes: for ever, after others, of a file that shall be loaded again, of what comes from outside.

create function dba.plan_always()
returns integer
language plpgsql
set lock_timeout = '200ms'
as $$
declare
  due record;
  changed integer := 0;
begin
  for due in
    select p as plan, s as schedule
    from dba.scheduler s
    join dba.plan p on p.schedule_id = s.schedule_id
    where dba.is_home() and s.schedule_id in (
      select a.schedule_id from dba.scheduler a where lower(a.cron) = '@always'
      union
      select r.schedule_id from dba.run r where r.trigger = 'always' and r.state in ('planned', 'waiting', 'queued', 'running'))
    for update of p skip locked
  loop
    begin
      changed := changed + dba.keep_running(due.schedule, due.plan);
    exception when lock_not_available then
      -- Somebody holds its run open: it is looked at again.
      null;
    end;
  end loop;
  return changed;
end
$$;
comment on function dba.plan_always() is 'Keeps one open run for every active @always schedule; an edit restarts it, a pause stops it. Returns how many runs it made or stopped.';

create function dba.keep_running(s dba.scheduler, p dba.plan)
returns integer
language plpgsql
as $$
declare
  config constant dba.jobconfig := (select c from dba.jobconfig c where c.job = s.job and c.config_name = s.config_name);
  is_always constant boolean := lower(coalesce(s.cron, '')) = '@always';
  is_edited constant boolean := is_always and p.planned_version is distinct from s.version;
  open_run dba.run;
  last_run dba.run;
  obstacle text;
  changed integer := 0;
begin
  select * into open_run from dba.run r
  where r.schedule_id = s.schedule_id and r.trigger = 'always' and r.state in ('planned', 'waiting', 'queued', 'running') limit 1;
  obstacle := case
    when not is_always then 'the schedule was edited: it no longer runs all the time'
    when not s.is_active then 'the schedule is switched off'
    when s.paused_until > clock_timestamp() then dba.pause_words('schedule', s.paused_by, s.paused_until, s.pause_reason, s.time_zone)
    when not config.is_active then format('config "%s" is switched off (is_active is false)', s.config_name)
  end;
  if open_run.run_id is not null and not open_run.cancel_requested
    and (obstacle is not null or is_edited and p.planned_version is not null or config.version <> open_run.config_version) then
    update dba.run r
    set cancel_requested = true,
        requested_reason = w.why,
        state = case when r.state = 'running' then r.state else 'cancelled' end,
        reason = case when r.state = 'running' then r.reason else w.why end,
        waits_for = null,
        finished_at = case when r.state = 'running' then r.finished_at else clock_timestamp() end
    from (select coalesce(obstacle, format('restarted by an edit of the %s', case when is_edited then 'schedule' else 'config' end)) as why) w
    where r.run_id = open_run.run_id and r.state in ('planned', 'waiting', 'queued', 'running')
    returning r.* into open_run;
    perform pg_notify('rota', 'cancel');
    changed := 1;
  end if;

  if obstacle is null and (open_run.run_id is null or open_run.state = 'cancelled') then
    select * into last_run from dba.run r
    where r.schedule_id = s.schedule_id and r.trigger = 'always' and r.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed')
    order by r.finished_at desc nulls last limit 1;
    insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time)
    values (s.schedule_id, s.schedule_name, s.job, s.config_name, 'always', 'always ' || gen_random_uuid(), clock_timestamp(),
      case when last_run.state in ('failed', 'succeeded') and not is_edited then greatest(clock_timestamp(), last_run.finished_at + s.retry_delay) else clock_timestamp() end,
      dba.local_time_text(date_trunc('second', clock_timestamp()), s.time_zone));
    changed := 1;
  end if;
  if is_edited then
    perform dba.take_out_plans(s.schedule_id, '-infinity');
    update dba.plan set planned_version = s.version, planned_through = clock_timestamp(), refill_at = null where schedule_id = s.schedule_id;
  end if;
  return changed;
end
$$;
comment on function dba.keep_running(dba.scheduler, dba.plan) is 'Brings the open run of an @always schedule in step with its row: made, stopped or begun anew. Returns 1 when it changed something.';

create function dba.plan_after()
returns integer
language plpgsql
as $$
declare
  waiting record;
  used record;
  made integer := 0;
  added integer;
begin
  for waiting in
    select s as schedule, p.waits_since
    from dba.scheduler s join dba.plan p using (schedule_id)
    where s.run_after is not null and s.is_active and dba.is_home()
    for update of p skip locked
  loop
    -- An upstream that ended otherwise, or never started, leaves a row that names it.
    insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, state, reason, caused_by, finished_at)
    select (waiting.schedule).schedule_id, (waiting.schedule).schedule_name, (waiting.schedule).job, (waiting.schedule).config_name, 'after', 'not after ' || u.run_id,
      u.ended_at, u.ended_at, dba.local_time_text(date_trunc('second', u.ended_at), (waiting.schedule).time_zone), 'skipped',
      format('upstream "%s" %s%s', u.schedule_name,
        case u.state when 'succeeded' then 'succeeded' when 'failed' then 'failed' when 'cancelled' then 'was cancelled' when 'skipped' then 'was skipped' else 'was missed' end,
        coalesce(' (' || case when u.state <> 'succeeded' then coalesce(u.error_message, u.reason) end || ')', '')), u.run_id, clock_timestamp()
    from dba.upstream_ends(waiting.schedule, waiting.waits_since) u
    where not u.counts and not exists (select from dba.run r where r.schedule_id = (waiting.schedule).schedule_id and r.fire_key = 'not after ' || u.run_id)
    on conflict on constraint a_fire_runs_once do nothing;
    get diagnostics added = row_count;
    made := made + added;

    -- One run when all of them have so ended since the run before it, which remembers what it used.
    select count(*) as ended, max(u.ended_at) as last_at, (array_agg(u.run_id order by u.ended_at desc))[1] as last_run,
      'after ' || string_agg(u.run_id::text, ' ' order by u.run_id) as fire_key,
      jsonb_object_agg(u.schedule_id, jsonb_build_object('run_id', u.run_id, 'ended_at', u.ended_at)) as upstream
    into used
    from (
      select distinct on (e.schedule_id) e.* from dba.upstream_ends(waiting.schedule, waiting.waits_since) e where e.counts order by e.schedule_id, e.ended_at desc
    ) u;
    continue when used.ended = 0 or used.ended < (select count(distinct n) from unnest((waiting.schedule).run_after) n);
    -- One that still waits takes these ends in, so that a slow one does not gather a queue of itself.
    update dba.run r set upstream = r.upstream || used.upstream, caused_by = used.last_run
    where r.run_id = (
      select h.run_id from dba.run h
      where h.schedule_id = (waiting.schedule).schedule_id and h.state = 'waiting' and h.attempt = 0 and h.trigger = 'after'
      order by h.scheduled_for desc limit 1 for no key update skip locked);
    if not found then
      insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, caused_by, upstream)
      values ((waiting.schedule).schedule_id, (waiting.schedule).schedule_name, (waiting.schedule).job, (waiting.schedule).config_name, 'after', used.fire_key,
        used.last_at, clock_timestamp(), dba.local_time_text(date_trunc('second', used.last_at), (waiting.schedule).time_zone), used.last_run, used.upstream)
      on conflict on constraint a_fire_runs_once do nothing;
      made := made + case when found then 1 else 0 end;
    end if;
  end loop;
  return made;
end
$$;
comment on function dba.plan_after() is 'Makes the runs of run_after schedules whose upstreams have ended; returns how many rows it wrote.';

create function dba.upstream_ends(schedule dba.scheduler, since timestamptz)
returns table (run_id uuid, schedule_id bigint, schedule_name text, state text, ended_at timestamptz, counts boolean, error_message text, reason text)
language sql
stable
as $$
  with last_run as (
    select r.upstream from dba.run r
    where r.schedule_id = schedule.schedule_id and r.trigger = 'after' and r.upstream is not null
    order by r.scheduled_for desc limit 1
  )
  select r.run_id, r.schedule_id, r.schedule_name, r.state, r.finished_at,
    case schedule.run_after_state when 'finished' then r.state in ('succeeded', 'failed') else r.state = schedule.run_after_state end,
    r.error_message, r.reason
  from dba.scheduler u
  -- In order, so that the ends are read from the index and a long history costs nothing.
  cross join lateral (
    select e.* from dba.run e
    where e.schedule_id = u.schedule_id and e.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed')
      and e.finished_at > greatest(since, ((select upstream from last_run) -> u.schedule_id::text ->> 'ended_at')::timestamptz)
    order by e.finished_at desc offset 0
  ) r
  where u.schedule_name = any (schedule.run_after)
$$;
comment on function dba.upstream_ends(dba.scheduler, timestamptz) is 'Ends of the schedules that this one runs after, since it last used them; counts: the end is of the kind it waits for.';

create function dba.fire_now(schedule_ids bigint[], fired_by text, key text, fire_args jsonb)
returns setof uuid
language sql
as $$
  insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, args)
  select s.schedule_id, s.schedule_name, s.job, s.config_name, fired_by, key, clock_timestamp(), clock_timestamp(),
    dba.local_time_text(date_trunc('second', clock_timestamp()), s.time_zone), fire_args
  from dba.scheduler s
  where s.schedule_id = any (schedule_ids) and s.is_active and dba.is_home()
  on conflict on constraint a_fire_runs_once do nothing
  returning run_id
$$;
comment on function dba.fire_now(bigint[], text, text, jsonb) is 'A file or a notification has come: makes the run, once per key.';

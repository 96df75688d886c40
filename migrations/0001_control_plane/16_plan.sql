-- The planner's part in the database: turns schedules into rows of dba.run. Called by workers, one at a time per schedule.

create function dba.outage_words(from_at timestamptz, to_at timestamptz, time_zone text)
returns text
language sql
stable
as $$
  -- The last sign of life before, and the first start after, tell the outage; without them the workers were there and busy.
  select case
    when last_life is null then format('no worker was up until %s', dba.local_time_text(date_trunc('second', coalesce(next_start, to_at)), time_zone))
    when last_life < from_at - interval '10 seconds'
      then format('no worker was up from %s to %s', dba.local_time_text(date_trunc('second', last_life), time_zone), dba.local_time_text(date_trunc('second', coalesce(next_start, to_at)), time_zone))
    else 'the workers did not get to it in time'
  end
  from (
    select
      (select max(least(w.heartbeat_at, coalesce(w.stopped_at, w.heartbeat_at))) from dba.worker w where w.started_at <= from_at) as last_life,
      (select min(w.started_at) from dba.worker w where w.started_at > from_at) as next_start
  ) life
$$;
comment on function dba.outage_words(timestamptz, timestamptz, text) is 'Why a fire was late or missed, from the lives of the workers.';

create function dba.write_owed_fires(terms dba.scheduler, from_at timestamptz, to_at timestamptz)
returns void
language plpgsql
as $$
declare
  pause_end timestamptz;
begin
  if not terms.is_active or terms.cron is null or lower(terms.cron) = '@always' or to_at <= from_at then
    return;
  end if;
  if terms.paused_until > from_at then
    pause_end := least(to_at, terms.paused_until - interval '1 microsecond');
    perform dba.write_stretch(terms, from_at, pause_end, dba.pause_words('schedule', terms.paused_by, terms.paused_until, terms.pause_reason, terms.time_zone));
    from_at := pause_end;
  end if;
  perform dba.write_stretch(terms, from_at, to_at, null);
end
$$;
comment on function dba.write_owed_fires(dba.scheduler, timestamptz, timestamptz) is 'Rows for fires that lie in the past, by the terms that held then; those of a pause are skipped.';

create function dba.write_stretch(terms dba.scheduler, from_at timestamptz, to_at timestamptz, pause text)
returns void
language plpgsql
as $$
declare
  kept constant integer := greatest(terms.max_catch_up, 1);
  total constant bigint := dba.cron_count(terms.cron, terms.time_zone, from_at, to_at, terms.dst_gap, terms.dst_fold);
  kept_from timestamptz := from_at;
begin
  if total > kept then
    -- A long outage is one row; only what may still be caught up stands alone.
    kept_from := dba.nth_last_fire(terms, from_at, to_at, kept);
    insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, state, reason,
      missed_from, missed_until, missed_count, finished_at)
    select terms.schedule_id, terms.schedule_name, terms.job, terms.config_name, 'cron', 'missed from ' || dba.fire_key(first_fire), first_fire, first_fire,
      dba.local_time_text(first_fire, terms.time_zone), case when pause is null then 'missed' else 'skipped' end,
      format('%s fires: %s', total - kept, coalesce(pause, dba.outage_words(first_fire, clock_timestamp(), terms.time_zone))),
      first_fire, dba.last_fire_before(terms, from_at, kept_from), total - kept, clock_timestamp()
    from dba.cron_next(terms.cron, terms.time_zone, from_at, terms.dst_gap, terms.dst_fold) first_fire
    on conflict on constraint a_fire_runs_once do nothing;
    kept_from := kept_from - interval '1 microsecond';
  end if;
  insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, state, reason)
  select terms.schedule_id, terms.schedule_name, terms.job, terms.config_name, 'cron', dba.fire_key(f.scheduled_for), f.scheduled_for, f.due_at,
    dba.local_time_text(f.scheduled_for, terms.time_zone), case when pause is null then f.state else 'skipped' end, coalesce(pause, f.reason)
  from dba.fires(terms, kept_from, to_at, kept + 1) f
  on conflict on constraint a_fire_runs_once do nothing;
end
$$;
comment on function dba.write_stretch(dba.scheduler, timestamptz, timestamptz, text) is 'Rows for the fires of a stretch of the past: the latest one by one, the others as one row, missed or, in a pause, skipped.';

create function dba.nth_last_fire(terms dba.scheduler, from_at timestamptz, to_at timestamptz, wanted integer)
returns timestamptz
language plpgsql
stable
as $$
declare
  reach interval := interval '1 minute';
  found timestamptz[];
begin
  -- Looks back in growing steps, so that an outage of a year costs no more than its last fires.
  loop
    found := array(
      select f from dba.cron_between(terms.cron, terms.time_zone, greatest(from_at, to_at - reach), to_at, terms.dst_gap, terms.dst_fold, 200000) f order by f desc limit wanted);
    if cardinality(found) >= wanted or to_at - reach <= from_at then
      return found[cardinality(found)];
    end if;
    reach := reach * 4;
  end loop;
end
$$;
comment on function dba.nth_last_fire(dba.scheduler, timestamptz, timestamptz, integer) is 'The last fires of a stretch of time: the first of so many, or of all when there are fewer.';

create function dba.last_fire_before(terms dba.scheduler, from_at timestamptz, before timestamptz)
returns timestamptz
language sql
stable
as $$ select dba.nth_last_fire(terms, from_at, before - interval '1 microsecond', 1) $$;
comment on function dba.last_fire_before(dba.scheduler, timestamptz, timestamptz) is 'The last fire before a moment.';

create function dba.plan_schedule(s dba.scheduler, p dba.plan)
returns void
language plpgsql
as $$
declare
  most constant integer := 5;
  now_at constant timestamptz := clock_timestamp();
  calendar_version constant integer := (select c.version from dba.calendar c where c.calendar = s.calendar);
  position timestamptz := p.planned_through;
  counts_from timestamptz := p.waits_since;
  planned integer;
  ahead integer;
  refill timestamptz;
  fire record;
begin
  if p.planned_version <> s.version then
    select t.planned_to, t.counts_from into position, counts_from from dba.take_in_edits(s, p) t;
  elsif p.planned_calendar_version is distinct from calendar_version then
    perform dba.write_owed_fires(s, position, now_at);
    perform dba.take_in_calendar(s, now_at);
    position := now_at;
  end if;

  if s.cron is not null and s.is_active then
    perform dba.write_owed_fires(s, position, now_at);
    position := greatest(position, now_at);
    select count(*) filter (where r.state = 'planned'), count(*) into planned, ahead
    from dba.run r
    where r.schedule_id = s.schedule_id and r.trigger = 'cron' and r.due_at > now_at
      and (r.state = 'planned' or r.state = 'skipped' and r.finished_at is null and r.requested_by is null);
    if ahead < most then
      for fire in select * from dba.fires(s, position, 'infinity', most - ahead) loop
        exit when planned >= 1 and fire.due_at > now_at + interval '7 days';
        planned := planned + dba.plan_fire(s, fire.scheduled_for, fire.due_at, fire.state, fire.reason);
        position := fire.scheduled_for;
      end loop;
    end if;
    if planned = 0 then
      -- Free days, or what people took out: the first fire behind them is planned all the same.
      for fire in select * from dba.coming_fires(s, position, most) f where f.state = 'planned' loop
        planned := dba.plan_fire(s, fire.scheduled_for, fire.due_at, fire.state, fire.reason);
        exit when planned > 0;
      end loop;
    end if;
    -- Early enough that what follows is planned before it is due; a fire moved to another day stands for both its moments.
    select min(m) + case when count(distinct r.run_id) >= most - 1 then interval '3 seconds' else interval '0' end into refill
    from dba.run r, unnest(array[r.scheduled_for, r.due_at]) m
    where r.schedule_id = s.schedule_id and r.trigger = 'cron' and m > now_at and (r.state = 'planned' or r.state = 'skipped' and r.finished_at is null);
  end if;
  update dba.plan set planned_version = s.version, planned_calendar_version = calendar_version, planned_through = greatest(position, now_at), refill_at = refill,
    waits_since = counts_from
  where schedule_id = s.schedule_id;
end
$$;
comment on function dba.plan_schedule(dba.scheduler, dba.plan) is 'Writes what a schedule owes and its next fires: at least one, at most five, none more than seven days ahead but the first.';

create function dba.take_in_edits(s dba.scheduler, p dba.plan, out planned_to timestamptz, out counts_from timestamptz)
language plpgsql
as $$
declare
  edit record;
begin
  planned_to := p.planned_through;
  counts_from := p.waits_since;
  -- Each stretch of time is owed by the terms that held in it: the audit knows them.
  for edit in
    select a.changed_at, jsonb_populate_record(null::dba.scheduler, a.before) as former, a.before, a.after, a.transaction_id
    from dba.configaudit a
    where a.table_name = 'scheduler' and a.before ->> 'schedule_id' = s.schedule_id::text and a.after is not null
      and a.version > p.planned_version and a.version <= s.version
    order by a.audit_id
  loop
    perform dba.write_owed_fires(edit.former, planned_to, edit.changed_at);
    perform dba.take_out_plans(s.schedule_id, edit.changed_at);
    planned_to := edit.changed_at;
    if dba.waits_anew(edit.before, edit.after, edit.transaction_id) then
      counts_from := edit.changed_at;
    end if;
  end loop;
  if not found then
    perform dba.take_out_plans(s.schedule_id, s.updated_at);
    planned_to := least(planned_to, s.updated_at);
  end if;
  update dba.run r set schedule_name = s.schedule_name
  where r.schedule_id = s.schedule_id and r.state in ('planned', 'waiting', 'queued', 'running') and r.schedule_name <> s.schedule_name;
end
$$;
comment on function dba.take_in_edits(dba.scheduler, dba.plan) is 'Brings the ledger in step with an edited schedule: fires before an edit belong to the terms before it, planned ones after it go. Returns up to where every fire has its row, and from when ends of upstreams count.';

create function dba.take_out_plans(of_schedule bigint, after timestamptz)
returns void
language sql
as $$
  delete from dba.run r
  where r.schedule_id = of_schedule and r.trigger = 'cron' and r.requested_by is null and r.scheduled_for > after
    and (r.state = 'planned' or r.state = 'skipped' and r.finished_at is null and r.due_at > clock_timestamp())
$$;
comment on function dba.take_out_plans(bigint, timestamptz) is 'Takes the planned fires after a moment out of the ledger; what people put in, took out or put back stays.';

create function dba.take_in_calendar(s dba.scheduler, now_at timestamptz)
returns void
language plpgsql
as $$
begin
  perform dba.take_out_plans(s.schedule_id, now_at);
  -- A fire of a free day that is over may have its run still ahead: it moves with the calendar.
  update dba.run r set due_at = f.due_at, state = f.state, reason = f.reason
  from (
    select m.run_id, n.*
    from dba.run m cross join lateral dba.fires(s, m.scheduled_for - interval '1 microsecond', m.scheduled_for, 1) n
    where m.schedule_id = s.schedule_id and m.trigger = 'cron' and m.requested_by is null and m.state = 'planned' and m.due_at > now_at
  ) f
  where r.run_id = f.run_id;
end
$$;
comment on function dba.take_in_calendar(dba.scheduler, timestamptz) is 'Brings the planned fires of a schedule in step with its edited calendar.';

create function dba.waits_anew(before jsonb, after jsonb, in_transaction bigint)
returns boolean
language sql
stable
as $$
  -- A renamed upstream is the same one under its new name.
  select after ->> 'is_active' = 'true' and before ->> 'is_active' = 'false'
    or after ->> 'run_after_state' <> before ->> 'run_after_state'
    or exists (
      select from jsonb_array_elements_text(nullif(after -> 'run_after', 'null')) upstream
      where not coalesce(before -> 'run_after' ? upstream, false)
        and not exists (
          select from dba.configaudit a
          where a.transaction_id = in_transaction and a.table_name = 'scheduler' and a.after ->> 'schedule_name' = upstream
            and coalesce(before -> 'run_after' ? (a.before ->> 'schedule_name'), false)))
$$;
comment on function dba.waits_anew(jsonb, jsonb, bigint) is 'Did this edit of a schedule change what it runs after? Then only ends from now on count.';

create function dba.plan_fire(s dba.scheduler, scheduled_for timestamptz, due_at timestamptz, state text, reason text)
returns integer
language plpgsql
as $$
declare
  -- Moved to a working day that was over before the schedule was written like this: it was never due.
  is_too_late constant boolean := state = 'planned' and due_at < scheduled_for and due_at <= s.updated_at;
begin
  insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, state, reason)
  values (s.schedule_id, s.schedule_name, s.job, s.config_name, 'cron', dba.fire_key(scheduled_for), scheduled_for,
    case when is_too_late then scheduled_for else due_at end, dba.local_time_text(scheduled_for, s.time_zone),
    case when is_too_late then 'skipped' else state end, case when is_too_late then reason || ', before the schedule was written' else reason end)
  on conflict on constraint a_fire_runs_once do nothing;
  return case when found and state = 'planned' and not is_too_late then 1 else 0 end;
end
$$;
comment on function dba.plan_fire(dba.scheduler, timestamptz, timestamptz, text, text) is 'Writes a coming fire into the ledger unless it stands there already; returns 1 when it was and is planned.';

create function dba.plan_due(most integer default 200, look_at_all boolean default false)
returns table (schedule_id bigint, failure text)
language plpgsql
set lock_timeout = '200ms'
as $$
declare
  due record;
begin
  if not dba.is_home() then
    return;
  end if;
  for due in
    select p as plan, s as schedule
    from dba.plan p
    join dba.scheduler s on s.schedule_id = p.schedule_id
    where p.schedule_id in (
        select d.schedule_id from dba.plan d where d.refill_at <= clock_timestamp()
        union all
        select d.schedule_id from dba.unplanned() d where look_at_all)
      and lower(coalesce(s.cron, '')) <> '@always'
    order by p.refill_at nulls first
    limit most
    for update of p skip locked
  loop
    schedule_id := (due.schedule).schedule_id;
    failure := null;
    -- One that cannot be planned now must not hold up the others; rows that somebody holds open are waited for no longer than a moment.
    begin
      perform dba.plan_schedule(due.schedule, due.plan);
    exception
      when lock_not_available then
        update dba.plan p set refill_at = clock_timestamp() + interval '2 seconds' where p.schedule_id = plan_due.schedule_id;
      when others then
        failure := sqlerrm;
        update dba.plan p set refill_at = clock_timestamp() + interval '1 minute' where p.schedule_id = plan_due.schedule_id;
    end;
    return next;
  end loop;
end
$$;
comment on function dba.plan_due(integer, boolean) is 'Plans the schedules that need it, at most so many; returns which, and why one could not be planned. look_at_all: finds edited ones too.';

create function dba.unplanned()
returns table (schedule_id bigint)
language sql
stable
as $$
  select p.schedule_id
  from dba.plan p
  join dba.scheduler s on s.schedule_id = p.schedule_id
  left join dba.calendar c on c.calendar = s.calendar
  where (p.planned_version, p.planned_calendar_version) is distinct from (s.version, c.version)
    or p.refill_at is not null
      and p.schedule_id not in (select r.schedule_id from dba.run r where r.state = 'planned' and r.trigger = 'cron' and r.due_at > clock_timestamp())
$$;
comment on function dba.unplanned() is 'Schedules that were edited, whose calendar was edited, or whose planned fires people took out.';

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
        coalesce(' (' || coalesce(u.error_message, u.reason) || ')', '')), u.run_id, clock_timestamp()
    from dba.upstream_ends(waiting.schedule, waiting.waits_since) u
    where not u.counts and not exists (select from dba.run r where r.schedule_id = (waiting.schedule).schedule_id and r.fire_key = 'not after ' || u.run_id)
    on conflict on constraint a_fire_runs_once do nothing;
    get diagnostics added = row_count;
    made := made + added;

    -- One run when all of them have so ended since the run before it, which remembers what it used.
    insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, caused_by, upstream)
    select (waiting.schedule).schedule_id, (waiting.schedule).schedule_name, (waiting.schedule).job, (waiting.schedule).config_name, 'after',
      'after ' || string_agg(u.run_id::text, ' ' order by u.run_id), max(u.ended_at), clock_timestamp(),
      dba.local_time_text(date_trunc('second', max(u.ended_at)), (waiting.schedule).time_zone),
      (array_agg(u.run_id order by u.ended_at desc))[1],
      jsonb_object_agg(u.schedule_id, jsonb_build_object('run_id', u.run_id, 'ended_at', u.ended_at))
    from (
      select distinct on (e.schedule_id) e.* from dba.upstream_ends(waiting.schedule, waiting.waits_since) e where e.counts order by e.schedule_id, e.ended_at desc
    ) u
    having count(*) = cardinality((select array_agg(distinct n) from unnest((waiting.schedule).run_after) n))
    on conflict on constraint a_fire_runs_once do nothing;
    get diagnostics added = row_count;
    made := made + added;
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
  join dba.run r on r.schedule_id = u.schedule_id and r.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed')
  where u.schedule_name = any (schedule.run_after)
    and r.finished_at > greatest(since, ((select upstream from last_run) -> u.schedule_id::text ->> 'ended_at')::timestamptz)
$$;
comment on function dba.upstream_ends(dba.scheduler, timestamptz) is 'Ends of the schedules that this one runs after, since it last used them; counts: the end is of the kind it waits for.';

create function dba.forget_deleted_schedules()
returns integer
language plpgsql
as $$
declare
  removed integer;
begin
  delete from dba.run
  where run_id in (
    select r.run_id from dba.run r
    where r.state in ('planned', 'waiting') and r.attempt = 0 and not exists (select from dba.scheduler s where s.schedule_id = r.schedule_id)
    for update skip locked);
  get diagnostics removed = row_count;
  delete from dba.plan
  where schedule_id in (
    select p.schedule_id from dba.plan p
    where not exists (select from dba.scheduler s where s.schedule_id = p.schedule_id)
    for update skip locked);
  return removed;
end
$$;
comment on function dba.forget_deleted_schedules() is 'Takes the coming fires of deleted schedules out of the ledger, and their places in dba.plan; what ran stays.';

create function dba.answer_fires(schedule_ids bigint[])
returns integer
language plpgsql
as $$
declare
  answered integer;
begin
  with free as (
    select s.schedule_id from dba.scheduler s where s.schedule_id = any (schedule_ids) for no key update skip locked
  ), answer as (
    select s.schedule_id, a.next_fire_at, a.next_fires
    from free join dba.scheduler s using (schedule_id)
    cross join lateral (select greatest(clock_timestamp(), s.paused_until - interval '1 microsecond') as after) t
    cross join lateral (
      select min(f.due_at) as next_fire_at, array_agg(dba.local_time_text(f.due_at, s.time_zone) order by f.due_at) as next_fires
      from (
        select r.due_at from dba.run r where r.schedule_id = s.schedule_id and r.state = 'planned' and r.trigger = 'cron' and r.due_at > t.after
        union
        select c.due_at from dba.coming_fires(s, t.after, 8) c
        where s.is_active and c.state = 'planned' and c.due_at > t.after
          and 5 > (select count(*) from dba.run r where r.schedule_id = s.schedule_id and r.state = 'planned' and r.trigger = 'cron' and r.due_at > t.after)
          and not exists (select from dba.run r where r.schedule_id = s.schedule_id and r.fire_key = dba.fire_key(c.scheduled_for) and r.state <> 'planned')
        order by 1 limit 5
      ) f
    ) a
  )
  update dba.scheduler s set next_fire_at = a.next_fire_at, next_fires = a.next_fires
  from answer a
  where s.schedule_id = a.schedule_id and (s.next_fire_at, s.next_fires) is distinct from (a.next_fire_at, a.next_fires);
  get diagnostics answered = row_count;
  return answered;
end
$$;
comment on function dba.answer_fires(bigint[]) is 'Brings next_fire_at and next_fires of these schedules up to date; leaves out rows that somebody holds open.';

create function dba.unanswered_fires()
returns setof bigint
language sql
stable
as $$
  select s.schedule_id
  from dba.scheduler s
  join (
    select r.schedule_id, min(r.due_at) as due_at from dba.run r
    where r.state = 'planned' and r.trigger = 'cron' and r.due_at > clock_timestamp() group by r.schedule_id
  ) f on f.schedule_id = s.schedule_id
  where s.next_fire_at is distinct from f.due_at and s.is_active and coalesce(s.paused_until <= clock_timestamp(), true)
$$;
comment on function dba.unanswered_fires() is 'Schedules whose next_fire_at is not the first planned fire: somebody held the row open, or took the fire out.';

create function dba.plan_retries()
returns integer
language sql
as $$
  -- A file that a person set to retry is loaded by the next run of its config; where no run is coming, one is made.
  with wanted as (
    select distinct on (f.job, f.config_name) s.*, f.file_id, f.updated_at as asked_at
    from dba.file f
    join dba.scheduler s on s.job = f.job and s.config_name = f.config_name
    where f.state = 'retry'
    order by f.job, f.config_name, s.is_active desc, s.schedule_id, f.updated_at desc
  ), made as (
    insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, requested_by, requested_reason)
    select w.schedule_id, w.schedule_name, w.job, w.config_name, 'request', format('retry %s %s', w.file_id, extract(epoch from w.asked_at)),
      clock_timestamp(), clock_timestamp(), dba.local_time_text(date_trunc('second', clock_timestamp()), w.time_zone), 'rota', 'files were set to retry'
    from wanted w
    where not exists (select from dba.run r where r.schedule_id = w.schedule_id and r.state in ('waiting', 'queued') and r.trigger in ('request', 'cron'))
    on conflict on constraint a_fire_runs_once do nothing
    returning 1
  )
  select count(*)::integer from made
$$;
comment on function dba.plan_retries() is 'Makes runs for files that were set to retry; returns how many.';

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

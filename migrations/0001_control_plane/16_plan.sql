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
  kept constant integer := greatest(terms.max_catch_up, 1);
  total bigint;
  kept_from timestamptz;
begin
  if not terms.is_active or terms.cron is null or lower(terms.cron) = '@always' or to_at <= from_at then
    return;
  end if;
  total := dba.cron_count(terms.cron, terms.time_zone, from_at, to_at, terms.dst_gap, terms.dst_fold);
  if total = 0 then
    return;
  end if;
  kept_from := from_at;
  if total > kept then
    -- A long outage is one row; only what may still be caught up stands alone.
    kept_from := dba.nth_last_fire(terms, from_at, to_at, kept);
    insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, state, reason,
      missed_from, missed_until, missed_count, finished_at)
    select terms.schedule_id, terms.schedule_name, terms.job, terms.config_name, 'cron', 'missed from ' || dba.fire_key(first_fire), first_fire, first_fire,
      dba.local_time_text(first_fire, terms.time_zone), 'missed',
      format('%s fires: %s', total - kept, dba.outage_words(first_fire, clock_timestamp(), terms.time_zone)),
      first_fire, dba.last_fire_before(terms, from_at, kept_from), total - kept, clock_timestamp()
    from dba.cron_next(terms.cron, terms.time_zone, from_at, terms.dst_gap, terms.dst_fold) first_fire
    on conflict on constraint a_fire_runs_once do nothing;
    kept_from := kept_from - interval '1 microsecond';
  end if;
  insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, state, reason)
  select terms.schedule_id, terms.schedule_name, terms.job, terms.config_name, 'cron', dba.fire_key(f.scheduled_for), f.scheduled_for, f.due_at,
    dba.local_time_text(f.scheduled_for, terms.time_zone), f.state, f.reason
  from dba.fires(terms, kept_from, to_at, kept + 1) f
  on conflict on constraint a_fire_runs_once do nothing;
end
$$;
comment on function dba.write_owed_fires(dba.scheduler, timestamptz, timestamptz) is 'Rows for fires that lie in the past: the latest one by one, the others of a long outage as one missed row.';

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
comment on function dba.nth_last_fire(dba.scheduler, timestamptz, timestamptz, integer) is 'The so-and-so-manieth fire before a moment.';

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
  now_at constant timestamptz := clock_timestamp();
  calendar_version constant integer := (select c.version from dba.calendar c where c.calendar = s.calendar);
  is_edited constant boolean := p.planned_version is distinct from s.version;
  is_moved constant boolean := p.planned_calendar_version is distinct from calendar_version;
  position timestamptz := p.planned_through;
  former record;
  fire record;
  planned integer;
  first_due timestamptz;
  refill timestamptz;
begin
  if p.planned_version is not null and (is_edited or is_moved) then
    if is_edited then
      -- Each stretch of time is owed by the terms that held in it: the audit knows them.
      for former in
        select a.before, a.changed_at
        from dba.configaudit a
        where a.table_name = 'scheduler' and a.before ->> 'schedule_id' = s.schedule_id::text and a.after is not null
          and a.changed_at > p.planned_through and a.version > p.planned_version
        order by a.audit_id
      loop
        perform dba.write_owed_fires(jsonb_populate_record(null::dba.scheduler, former.before), position, former.changed_at);
        position := greatest(position, former.changed_at);
      end loop;
      position := least(s.updated_at, now_at);
    else
      perform dba.write_owed_fires(s, position, now_at);
      position := now_at;
    end if;
    delete from dba.run
    where schedule_id = s.schedule_id and trigger = 'cron' and requested_by is null
      and (state = 'planned' and scheduled_for > position or state = 'skipped' and finished_at is null and due_at > now_at);
  end if;

  if s.cron is null or not s.is_active then
    update dba.plan set planned_version = s.version, planned_calendar_version = calendar_version, planned_through = now_at, refill_at = null,
      waits_since = case when is_edited then now_at else waits_since end
    where schedule_id = s.schedule_id;
    return;
  end if;

  perform dba.write_owed_fires(s, position, now_at);
  position := greatest(position, now_at);

  select count(*), max(scheduled_for) into planned, first_due
  from dba.run where schedule_id = s.schedule_id and state = 'planned' and trigger = 'cron' and scheduled_for > now_at;
  position := greatest(position, first_due);
  if planned < 5 then
    for fire in select * from dba.coming_fires(s, position, 5 - planned) loop
      exit when planned >= 1 and fire.due_at > now_at + interval '7 days';
      insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, state, reason)
      values (s.schedule_id, s.schedule_name, s.job, s.config_name, 'cron', dba.fire_key(fire.scheduled_for), fire.scheduled_for, fire.due_at,
        dba.local_time_text(fire.scheduled_for, s.time_zone), fire.state, fire.reason)
      on conflict on constraint a_fire_runs_once do nothing;
      position := fire.scheduled_for;
      if fire.state = 'planned' then
        planned := planned + 1;
      end if;
    end loop;
  end if;

  select min(due_at) into first_due from dba.run where schedule_id = s.schedule_id and state = 'planned' and trigger = 'cron' and due_at > now_at;
  refill := case when planned >= 4 then first_due + interval '3 seconds' else coalesce(first_due, case when planned > 0 then now_at + interval '1 hour' end) end;
  update dba.plan set planned_version = s.version, planned_calendar_version = calendar_version, planned_through = position, refill_at = refill,
    waits_since = case when is_edited then now_at else waits_since end
  where schedule_id = s.schedule_id;
end
$$;
comment on function dba.plan_schedule(dba.scheduler, dba.plan) is 'Writes what a schedule owes and its next fires: at least one, at most five, none more than seven days ahead but the first.';

create function dba.plan_due(most integer default 200, look_at_all boolean default false)
returns setof bigint
language plpgsql
as $$
declare
  due record;
begin
  for due in
    select p as plan, s as schedule
    from dba.plan p
    join dba.scheduler s using (schedule_id)
    left join dba.calendar c using (calendar)
    where (p.refill_at <= clock_timestamp() or look_at_all and (p.planned_version, p.planned_calendar_version) is distinct from (s.version, c.version))
      and lower(coalesce(s.cron, '')) <> '@always'
    order by p.refill_at nulls first
    limit most
    for update of p skip locked
  loop
    perform dba.plan_schedule(due.schedule, due.plan);
    return next (due.plan).schedule_id;
  end loop;
end
$$;
comment on function dba.plan_due(integer, boolean) is 'Plans the schedules that need it, at most so many; returns which. look_at_all: finds edited ones too.';

create function dba.plan_always()
returns integer
language plpgsql
as $$
declare
  due record;
  is_edited boolean;
  is_wanted boolean;
  changed integer := 0;
begin
  for due in
    select p as plan, s as schedule, o.run_id, o.state, e.finished_at, e.ended
    from dba.scheduler s
    join dba.plan p using (schedule_id)
    left join lateral (
      select r.run_id, r.state from dba.run r
      where r.schedule_id = s.schedule_id and r.state in ('planned', 'waiting', 'queued', 'running') and r.trigger = 'always' limit 1) o on true
    left join lateral (
      select r.finished_at, r.state as ended from dba.run r
      where r.schedule_id = s.schedule_id and r.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed') and r.trigger = 'always'
      order by r.finished_at desc nulls last limit 1) e on true
    where s.schedule_id in (
      select a.schedule_id from dba.scheduler a where lower(a.cron) = '@always'
      union
      select r.schedule_id from dba.run r where r.trigger = 'always' and r.state in ('planned', 'waiting', 'queued', 'running'))
    for update of p skip locked
  loop
    is_edited := (due.plan).planned_version is distinct from (due.schedule).version;
    is_wanted := lower(coalesce((due.schedule).cron, '')) = '@always' and (due.schedule).is_active and coalesce((due.schedule).paused_until <= clock_timestamp(), true);
    if due.run_id is not null and (not is_wanted or is_edited and (due.plan).planned_version is not null) then
      update dba.run
      set cancel_requested = true,
          requested_reason = coalesce(requested_reason, case when is_wanted then 'restarted by an edit of the schedule' else 'the schedule is paused or switched off' end),
          state = case when state = 'running' then state else 'cancelled' end,
          reason = case when state = 'running' then reason else case when is_wanted then 'restarted by an edit of the schedule' else 'the schedule is paused or switched off' end end,
          finished_at = case when state = 'running' then finished_at else clock_timestamp() end
      where run_id = due.run_id and not cancel_requested;
      changed := changed + 1;
    elsif due.run_id is null and is_wanted then
      insert into dba.run (schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time)
      values ((due.schedule).schedule_id, (due.schedule).schedule_name, (due.schedule).job, (due.schedule).config_name, 'always', 'always ' || gen_random_uuid(),
        clock_timestamp(),
        case when due.ended in ('failed', 'succeeded') then greatest(clock_timestamp(), due.finished_at + (due.schedule).retry_delay) else clock_timestamp() end,
        dba.local_time_text(date_trunc('second', clock_timestamp()), (due.schedule).time_zone));
      changed := changed + 1;
    end if;
    update dba.plan set planned_version = (due.schedule).version, planned_through = clock_timestamp(), refill_at = null
    where schedule_id = (due.schedule).schedule_id and is_edited;
  end loop;
  return changed;
end
$$;
comment on function dba.plan_always() is 'Keeps one open run for every active @always schedule; an edit restarts it, a pause stops it.';

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
    where s.run_after is not null and s.is_active
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
  delete from dba.run r
  where r.state in ('planned', 'waiting') and r.attempt = 0 and not exists (select from dba.scheduler s where s.schedule_id = r.schedule_id);
  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function dba.forget_deleted_schedules() is 'Takes the coming fires of deleted schedules out of the ledger; what ran stays.';

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
    left join lateral (
      select min(f.due_at) as next_fire_at, array_agg(dba.local_time_text(f.due_at, s.time_zone) order by f.due_at) as next_fires
      from (
        select r.due_at from dba.run r where r.schedule_id = s.schedule_id and r.state = 'planned' and r.trigger = 'cron' and r.due_at > clock_timestamp() and coalesce(r.due_at >= s.paused_until, true)
        union
        select c.due_at from dba.coming_fires(s, greatest(clock_timestamp(), s.paused_until), 5) c
        where s.is_active and c.state = 'planned' and 5 > (select count(*) from dba.run r where r.schedule_id = s.schedule_id and r.state = 'planned' and r.trigger = 'cron' and r.due_at > clock_timestamp())
          and not exists (select from dba.run r where r.schedule_id = s.schedule_id and r.fire_key = dba.fire_key(c.scheduled_for) and r.state = 'skipped')
        order by 1 limit 5
      ) f
    ) a on true
  )
  update dba.scheduler s set next_fire_at = a.next_fire_at, next_fires = a.next_fires
  from answer a
  where s.schedule_id = a.schedule_id and (s.next_fire_at, s.next_fires) is distinct from (a.next_fire_at, a.next_fires);
  get diagnostics answered = row_count;
  return answered;
end
$$;
comment on function dba.answer_fires(bigint[]) is 'Brings next_fire_at and next_fires of these schedules up to date; leaves out rows that somebody holds open.';

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

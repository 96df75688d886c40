-- The planner's part in the database: turns schedules into coming rows of dba.run. Called by workers, one at a time per schedule.

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
        select d.schedule_id from dba.plan d where d.refill_at <= statement_timestamp()
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
      and p.schedule_id not in (select r.schedule_id from dba.run r where r.state = 'planned' and r.trigger = 'cron' and r.due_at > statement_timestamp())
$$;
comment on function dba.unplanned() is 'Schedules that were edited, whose calendar was edited, or whose planned fires people took out.';

-- A session keeps the way it found for an empty ledger, and the ledger grows: it must not be a scan of the whole.
create function dba.plan_schedule(s dba.scheduler, p dba.plan)
returns void
language plpgsql
set enable_seqscan = off
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

create function dba.waits_anew(former jsonb, latter jsonb, in_transaction bigint)
returns boolean
language sql
stable
as $$
  -- A renamed upstream is the same one under its new name.
  select latter ->> 'is_active' = 'true' and former ->> 'is_active' = 'false'
    or latter ->> 'run_after_state' <> former ->> 'run_after_state'
    or exists (
      select from jsonb_array_elements_text(nullif(latter -> 'run_after', 'null')) upstream
      where not coalesce(former -> 'run_after' ? upstream, false)
        and not exists (
          select from dba.configaudit a
          where a.transaction_id = in_transaction and a.table_name = 'scheduler' and a.after ->> 'schedule_name' = upstream
            and coalesce(former -> 'run_after' ? (a.before ->> 'schedule_name'), false)))
$$;
comment on function dba.waits_anew(jsonb, jsonb, bigint) is 'Did this edit of a schedule change what it runs after? Then only ends from now on count.';

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
    where r.state = 'planned' and r.trigger = 'cron' and r.due_at > statement_timestamp() group by r.schedule_id
  ) f on f.schedule_id = s.schedule_id
  where s.next_fire_at is distinct from f.due_at and s.is_active and coalesce(s.paused_until <= clock_timestamp(), true)
$$;
comment on function dba.unanswered_fires() is 'Schedules whose next_fire_at is not the first planned fire: somebody held the row open, or took the fire out.';

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

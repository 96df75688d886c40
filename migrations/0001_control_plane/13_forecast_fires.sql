-- What the forecast stands on: the fires of the clock, and the runs that follow from them.

create function dba.forecast_clock(from_at timestamptz, until_at timestamptz, of_schedules text[] default null)
returns table (schedule_id bigint, scheduled_for timestamptz, due_at timestamptz, state text, reason text, local_time text)
language plpgsql
stable
set jit = off
as $$
begin
  return query
    with active as materialized (
      -- A fire behind planned_through stands in the ledger; what lies after it is computed.
      select s.*, s as terms,
        greatest(from_at, least(statement_timestamp(), p.planned_through + interval '1 microsecond')) as computed_from
      from dba.scheduler s
      join dba.plan p on p.schedule_id = s.schedule_id
      where s.is_active and s.cron is not null and lower(s.cron) <> '@always' and (of_schedules is null or s.schedule_name = any (of_schedules))
    ), rhythm as (
      -- Schedules of the same rhythm are computed once.
      select (array_agg(a.terms))[1] as one, array_agg(a.schedule_id) as schedule_ids, min(a.computed_from) as computed_from,
        case when a.calendar is not null and a.on_holiday in ('previous', 'next') then interval '10 days' else '0' end as shift
      from active a
      group by a.cron, a.time_zone, a.dst_gap, a.dst_fold, a.calendar, a.on_holiday
    ), rhythm_fire as materialized (
      select unnest(r.schedule_ids) as schedule_id, f.scheduled_for, f.due_at, f.state, f.reason, dba.fire_key(f.scheduled_for) as fire_key,
        dba.local_time_text(f.scheduled_for, (r.one).time_zone) as local_time
      from rhythm r
      cross join lateral dba.fires(r.one, r.computed_from - r.shift - interval '1 microsecond', until_at + r.shift - interval '1 microsecond', null) f
      where r.computed_from - r.shift < until_at + r.shift and f.due_at >= r.computed_from and f.due_at < until_at
    ), taken as materialized (
      select r.schedule_id, r.fire_key
      from dba.run r
      where r.scheduled_for >= greatest(from_at, statement_timestamp()) - interval '11 days' and r.scheduled_for < until_at + interval '11 days'
        and (r.state <> 'planned' or r.requested_by is not null)
    )
    select f.schedule_id, f.scheduled_for, f.due_at, f.state, f.reason, f.local_time
    from rhythm_fire f
    join active a on a.schedule_id = f.schedule_id and f.due_at >= a.computed_from
    where not exists (select from taken t where t.schedule_id = a.schedule_id and t.fire_key = f.fire_key);
end
$$;
comment on function dba.forecast_clock(timestamptz, timestamptz, text[]) is 'Fires of the clock in a window that have no decision yet, of all schedules or of these: calendars and what people took out are in it, pauses are not.';

create function dba.forecast_after(from_at timestamptz, until_at timestamptz)
returns table (schedule_id bigint, scheduled_for timestamptz, due_at timestamptz, state text, reason text)
language plpgsql
stable
set jit = off
as $$
declare
  now_at constant timestamptz := statement_timestamp();
  -- What ends in the window may have begun before it, or wait there for the last of several; nobody looks further back than a day.
  looks_from constant timestamptz := greatest(now_at, from_at - interval '1 day');
  waiting text[] := array(select s.schedule_name from dba.scheduler s where s.run_after is not null and s.is_active and s.run_after_state <> 'failed');
  ready text[];
  ended_names text[];
  ended_times timestamptz[];
  added_names text[];
  added_times timestamptz[];
  seen text[];
  step record;
begin
  if cardinality(waiting) = 0 or until_at <= now_at or not dba.is_home() then
    return;
  end if;
  select array_agg(e.schedule_name), array_agg(e.ends_at) into ended_names, ended_times
  from dba.forecast_ends(array(select distinct u from dba.scheduler s, unnest(s.run_after) u where s.schedule_name = any (waiting)), looks_from, until_at) e;

  -- Link by link: those come first whose upstreams wait for nobody.
  loop
    ready := array(select s.schedule_name from dba.scheduler s where s.schedule_name = any (waiting) and not s.run_after && waiting);
    exit when cardinality(ready) = 0;
    waiting := array(select w from unnest(waiting) w where w <> all (ready));
    added_names := '{}';
    added_times := '{}';
    schedule_id := null;
    for step in
      with waiter as materialized (
        select s.schedule_id, s.schedule_name, s.run_after, s as terms, p.waits_since,
          'foretold: after ' || (select string_agg(format('"%s"', u), ' and ') from unnest(s.run_after) u) as words,
          (select count(distinct u) from unnest(s.run_after) u) as links,
          date_trunc('second', dba.usual_duration(s.schedule_id)) as takes,
          (select jsonb_object_agg(u.schedule_name, format('; "%s" usually takes %s', u.schedule_name, date_trunc('second', d)))
              filter (where d >= interval '1 second')
            from dba.scheduler u cross join lateral dba.usual_duration(u.schedule_id) d
            where u.schedule_name = any (s.run_after)) as duration_words,
          case when c.is_active = false then 'infinity' else coalesce(greatest(s.paused_until, l.paused_until), '-infinity') end as rests_until
        from dba.scheduler s
        join dba.plan p on p.schedule_id = s.schedule_id
        left join dba.jobconfig c on c.job = s.job and c.config_name = s.config_name
        left join dba.lane l on l.lane = s.lane
        where s.schedule_name = any (ready)
      ), upstream_end as (
        select w.schedule_id, e.schedule_name, e.ends_at
        from waiter w
        cross join lateral (select distinct u from unnest(w.run_after) u) u (schedule_name)
        join unnest(ended_names, ended_times) e (schedule_name, ends_at) on e.schedule_name = u.schedule_name
        union all
        -- Of several, those that have ended already and were not used yet.
        select w.schedule_id, u.schedule_name, max(u.ended_at)
        from waiter w cross join lateral dba.upstream_ends(w.terms, w.waits_since) u
        where u.counts and w.links > 1 and looks_from = now_at
        group by 1, 2
      ), moment as (
        select e.schedule_id, e.ends_at, array_agg(e.schedule_name order by e.schedule_name) as names from upstream_end e group by 1, 2
      )
      select w.schedule_id, w.schedule_name, w.links, w.takes, w.words, w.duration_words, w.rests_until, m.ends_at, m.names
      from waiter w
      join moment m on m.schedule_id = w.schedule_id
      order by w.schedule_id, m.ends_at
    loop
      seen := case when step.links = 1 or step.schedule_id is distinct from schedule_id then step.names
        else array(select unnest(seen) union select unnest(step.names)) end;
      schedule_id := step.schedule_id;
      continue when cardinality(seen) < step.links;
      seen := '{}';
      continue when step.ends_at < now_at;
      if step.ends_at >= from_at and step.ends_at < until_at then
        scheduled_for := step.ends_at;
        due_at := step.ends_at;
        state := 'planned';
        reason := step.words || coalesce(step.duration_words ->> step.names[1], '');
        return next;
      end if;
      if step.ends_at >= step.rests_until then
        added_names := added_names || step.schedule_name;
        added_times := added_times || (step.ends_at + coalesce(step.takes, '0'));
      end if;
    end loop;
    ended_names := ended_names || added_names;
    ended_times := ended_times || added_times;
  end loop;
end
$$;
comment on function dba.forecast_after(timestamptz, timestamptz) is 'Runs of run_after schedules in a window, as they come when every upstream runs at its time, takes as long as usual and ends well.';

create function dba.usual_duration(of_schedule bigint)
returns interval
language sql
stable
as $$
  select percentile_cont(0.5) within group (order by d.duration)
  from (
    select r.finished_at - r.started_at as duration
    from dba.run r
    where r.schedule_id = of_schedule and r.state = 'succeeded'
    order by r.finished_at desc
    limit 20
  ) d
$$;
comment on function dba.usual_duration(bigint) is 'Median of the last 20 successes of a schedule; null: it has had none.';

create function dba.forecast_ends(of_schedules text[], from_at timestamptz, until_at timestamptz)
returns table (schedule_name text, ends_at timestamptz)
language sql
stable
set jit = off
as $$
  with upstream as materialized (
    select s.schedule_id, s.schedule_name, coalesce(date_trunc('second', dba.usual_duration(s.schedule_id)), '0') as takes,
      case when c.is_active = false then 'infinity' else coalesce(greatest(s.paused_until, l.paused_until), '-infinity') end as rests_until
    from dba.scheduler s
    left join dba.jobconfig c on c.job = s.job and c.config_name = s.config_name
    left join dba.lane l on l.lane = s.lane
    where s.schedule_name = any (of_schedules)
  )
  select u.schedule_name, f.due_at + u.takes
  from dba.forecast_clock(from_at, until_at, of_schedules) f
  join upstream u on u.schedule_id = f.schedule_id
  where f.state = 'planned' and f.due_at >= u.rests_until
  union all
  select u.schedule_name, greatest(case when r.state = 'running' then r.started_at else r.due_at end + u.takes, statement_timestamp())
  from upstream u
  join dba.run r on r.schedule_id = u.schedule_id
  where r.state in ('planned', 'waiting', 'queued', 'running') and r.due_at < until_at and r.waits_for is distinct from 'lane'
    and (r.state <> 'planned' or r.trigger <> 'cron' or r.requested_by is not null or r.due_at < statement_timestamp())
$$;
comment on function dba.forecast_ends(text[], timestamptz, timestamptz) is 'When runs of these schedules are expected to end: fires of the clock, and what is planned or open, with the usual duration of each.';

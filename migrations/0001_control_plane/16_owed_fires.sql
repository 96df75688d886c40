-- What lies in the past when the planner comes to it: fires that no worker was up for.

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

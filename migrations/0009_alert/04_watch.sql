-- The watch: opens, counts up and closes incidents, and writes down who is to be told. A worker calls it every few seconds.

create function dba.watch(at timestamptz default statement_timestamp(), whole boolean default true)
returns integer
language plpgsql
set lock_timeout = '2s'
as $$
declare
  looked_at constant timestamptz := (select m.moved_at from dba.watchmark m where m.mark = 'look');
  -- Ends are stamped before they are committed.
  since constant timestamptz := looked_at - interval '30 seconds';
  -- One that has only just begun to look gives workers that start with it a minute.
  is_settled constant boolean := coalesce((select m.since < watch.at - interval '1 minute' and m.moved_at > watch.at - interval '1 minute' from dba.watchmark m where m.mark = 'look'), false);
  is_whole constant boolean := watch.whole or looked_at is null or looked_at < watch.at - interval '10 minutes';
  judged_since constant timestamptz := coalesce((select m.moved_at - interval '30 seconds' from dba.watchmark m where m.mark = 'whole'), watch.at - interval '1 day');
  asked bigint[];
  changed integer;
begin
  if not dba.is_home() or not pg_try_advisory_xact_lock(hashtext('dba.watch')) then
    return 0;
  end if;
  if not is_whole then
    asked := array(
      select r.schedule_id from dba.run r where r.state in ('failed', 'missed') and r.finished_at > since
      union
      select a.schedule_id from dba.alert a where a.state <> 'recovered' and a.schedule_id is not null);
  end if;
  update dba.alert a set state = 'open', muted_until = null
  where a.alert_id in (select m.alert_id from dba.alert m where m.state = 'muted' and m.muted_until <= watch.at for no key update skip locked);

  with judged as materialized (
    select j.* from dba.judge_runs(judged_since, watch.at, null) j where is_whole
  ), facts as (
    select t.* from dba.run_trouble(watch.at, asked) t
    union all
    select j.kind, s.schedule_name, 'warning', j.message, format('select * from dba.recent_run where schedule_name = %L limit 20;', s.schedule_name),
      j.cause_at, j.cause_at, 1, s.owner, s.schedule_id, j.run_id
    from judged j join dba.scheduler s using (schedule_id)
    where j.kind is not null
    union all
    select t.* from dba.standing_trouble(watch.at) t where is_whole
    union all
    select t.* from dba.lane_trouble(watch.at) t where is_whole and is_settled
  ), found as materialized (
    select distinct on (f.kind, f.subject) f.* from facts f order by f.kind, f.subject, f.cause_at desc, f.times desc
  ), free as materialized (
    -- One that somebody holds open in an editor is seen to the next time.
    select a.alert_id from dba.alert a where a.state <> 'recovered' for no key update skip locked
  ), seen as (
    update dba.alert a
    set count = a.count + case when f.cause_at > a.cause_at then f.times else 0 end,
      message = f.message, fix = f.fix, run_id = f.run_id, owner = f.owner, schedule_id = f.schedule_id, last_seen_at = watch.at,
      why = case when f.cause_at > a.cause_at then null else a.why end,
      -- Worse than it was told: told again.
      told_at = case when f.severity = 'severe' and a.severity <> 'severe' then null else a.told_at end,
      severity = f.severity, cause_at = greatest(f.cause_at, a.cause_at)
    from found f, free
    where free.alert_id = a.alert_id and a.kind = f.kind and a.subject = f.subject
      and (f.cause_at > a.cause_at or f.severity <> a.severity or f.message is distinct from a.message or is_whole and a.last_seen_at < watch.at - interval '5 minutes')
    returning 1
  ), opened as (
    insert into dba.alert (kind, subject, severity, count, message, fix, opened_at, last_seen_at, cause_at, owner, schedule_id, run_id)
    select f.kind, f.subject, f.severity, greatest(f.times, 1), f.message, f.fix, f.began_at, watch.at, f.cause_at, f.owner, f.schedule_id, f.run_id
    from found f
    -- ON CONFLICT alone would wait for whoever changes the row that is there.
    where not exists (select from dba.alert a where a.kind = f.kind and a.subject = f.subject and a.state <> 'recovered')
    on conflict (kind, subject) where state in ('open', 'acknowledged', 'muted') do nothing
    returning 1
  ), closed as (
    update dba.alert a
    set state = 'recovered', closed_at = watch.at, muted_until = null, closed_reason = dba.closing_words(a)
    from free
    where free.alert_id = a.alert_id
      and not exists (select from found f where f.kind = a.kind and f.subject = a.subject)
      and case
        when a.kind in ('failed', 'missed') then true
        when a.kind in ('slow', 'small', 'empty') then is_whole and (
          exists (select from judged j where j.schedule_id = a.schedule_id and j.kind is null)
          or not exists (select from dba.scheduler s where s.schedule_id = a.schedule_id and s.is_active and a.kind = any (s.alert_on)))
        when a.kind = 'worker_gone' then is_whole and dba.lane_is_alive(a.subject)
          or is_whole and is_settled
        else is_whole
      end
    returning 1
  )
  select (select count(*) from seen) + (select count(*) from opened) + (select count(*) from closed) into changed;

  perform dba.explain_alerts();
  perform dba.write_alert_messages(watch.at);
  if is_whole then
    delete from dba.alert a
    where a.state = 'recovered' and a.closed_at < watch.at - coalesce((select t.value::interval from dba.setting t where t.name = 'retention_alert'), interval '400 days');
    perform dba.move_watchmark('whole', watch.at);
  end if;
  perform dba.move_watchmark('look', watch.at);
  return changed;
end
$$;
comment on function dba.watch(timestamptz, boolean) is 'Opens, counts up and closes the incidents of dba.alert, and writes down who is to be told. Looks at everything, or, where whole is false, at what ended since the last look. Workers call it every few seconds; two at once: the second does nothing. Returns how many incidents changed.';

create function dba.move_watchmark(mark text, at timestamptz)
returns void
language sql
as $$
  insert into dba.watchmark as m (mark, moved_at, since) values (move_watchmark.mark, at, at)
  on conflict (mark) do update
  set moved_at = excluded.moved_at, since = case when m.moved_at > excluded.moved_at - interval '1 minute' then m.since else excluded.since end
$$;
comment on function dba.move_watchmark(text, timestamptz) is 'Says that this part of the watch has been done.';

create function dba.closing_words(alert dba.alert)
returns text
language sql
stable
as $$
  select case
    when alert.schedule_id is not null and alert.kind in ('failed', 'missed', 'late', 'absent', 'slow', 'small', 'empty') then
      coalesce(
        (select case
            when not s.is_active then 'its schedule is switched off'
            when alert.kind in ('late', 'absent') and s.due_by is null then 'nothing is due any more'
            when alert.kind not in ('late', 'absent') and not alert.kind = any (s.alert_on) then 'nobody asks for it any more'
          end
         from dba.scheduler s where s.schedule_id = alert.schedule_id),
        case when not exists (select from dba.scheduler s where s.schedule_id = alert.schedule_id) then 'its schedule is deleted' end,
        (select case r.state when 'succeeded' then format('a run of %s succeeded', dba.local_time_text(date_trunc('second', coalesce(r.started_at, r.finished_at)), s.time_zone)) else 'a run began' end
         from dba.run r join dba.scheduler s using (schedule_id)
         where r.schedule_id = alert.schedule_id and r.state in ('succeeded', 'running', 'failed', 'cancelled') and coalesce(r.finished_at, r.started_at) > alert.cause_at
         order by r.state = 'succeeded' desc, r.finished_at desc limit 1),
        'it is no longer so')
    else case alert.kind
      when 'worker_gone' then 'a worker takes part in the lane again'
      when 'connection' then 'the connection answers'
      when 'secret' then 'it was given a new term'
      when 'disk' then 'there is room again'
      when 'quarantined' then 'nothing is held back any more'
      else 'it is no longer so'
    end
  end
$$;
comment on function dba.closing_words(dba.alert) is 'Why an incident counts as recovered.';

create function dba.explain_alerts()
returns void
language plpgsql
as $$
declare
  one record;
begin
  -- In a storm the first ones carry their explanation at once, the others as the looks go on.
  for one in
    select a.alert_id, s.schedule_name
    from dba.alert a join dba.scheduler s on s.schedule_id = a.schedule_id
    where a.why is null and a.state = 'open' and a.kind in ('failed', 'missed', 'late', 'absent', 'slow')
    order by a.alert_id
    limit 20
    for no key update of a skip locked
  loop
    begin
      update dba.alert set why = dba.why_not(one.schedule_name) where alert_id = one.alert_id;
    exception when others then
      update dba.alert set why = '' where alert_id = one.alert_id;
    end;
  end loop;
end
$$;
comment on function dba.explain_alerts() is 'Writes what dba.why_not says into open incidents of schedules.';

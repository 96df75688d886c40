-- Why did it not run? One text for each reason there is, read from the ledger, the schedule, the audit and the workers.

create function dba.why_not(schedule text, at text default null)
returns text
language plpgsql
stable
as $$
declare
  terms dba.scheduler;
  asked record;
  chosen dba.run;
  others bigint;
begin
  select * into terms from dba.scheduler s where s.schedule_name = why_not.schedule;
  if not found then
    return dba.explain_unknown_schedule(schedule);
  end if;
  if at is null then
    return dba.explain_latest_fire(terms);
  end if;

  select * into asked from dba.asked_moments(at, terms.time_zone);
  select r.* into chosen
  from dba.run r, unnest(asked.begins, asked.ends) as w (begins, ends)
  where r.schedule_id = terms.schedule_id
    and (r.scheduled_for >= w.begins and r.scheduled_for < w.ends
      or r.due_at >= w.begins and r.due_at < w.ends and r.scheduled_for > w.begins - interval '31 days')
  -- What did not go well is what the question is about.
  order by r.state = 'succeeded', r.trigger in ('request', 'api'), r.scheduled_for
  limit 1;
  if not found then
    return concat_ws(' ', dba.explain_no_run(terms, asked.begins, asked.ends), asked.clock_words);
  end if;
  select count(*) into others
  from dba.run r, unnest(asked.begins, asked.ends) as w (begins, ends)
  where r.schedule_id = terms.schedule_id and r.scheduled_for >= w.begins and r.scheduled_for < w.ends and r.run_id <> chosen.run_id;
  return concat_ws(' ', dba.explain_run(chosen), asked.clock_words,
    case when others > 0 then format('Besides, %s more of its runs stand at that time in dba.run.', others) end);
end
$$;
comment on function dba.why_not(text, text) is 'Why a schedule did not run, or has not run yet: select dba.why_not(''load prices'', ''2026-12-24 06:20''). A time without an offset means the zone of the schedule, a time without seconds its whole minute, a date its whole day; without a time the latest fire that was due.';

create function dba.explain_unknown_schedule(schedule text)
returns text
language plpgsql
stable
as $$
declare
  gone dba.configaudit;
begin
  select * into gone from dba.configaudit a
  where a.table_name = 'scheduler' and a.row_key = explain_unknown_schedule.schedule and a.after is null
  order by a.audit_id desc limit 1;
  if not found then
    perform dba.refuse(format('no schedule "%s"', coalesce(schedule, '')), dba.schedule_hint(schedule), null, '23503');
  end if;
  return format('Schedule "%s" was deleted by %s at %s, so it does not fire. To bring it back: select dba.restore(%s).',
    schedule, gone.changed_by, dba.local_time_text(date_trunc('second', gone.changed_at), gone.before ->> 'time_zone'), gone.audit_id);
end
$$;
comment on function dba.explain_unknown_schedule(text) is 'What became of a schedule that is not there; refuses a name that never was. Part of dba.why_not.';

create function dba.asked_moments(at text, time_zone text, out begins timestamptz[], out ends timestamptz[], out clock_words text)
language plpgsql
stable
as $$
declare
  moment constant timestamptz := dba.parse_moment(at, time_zone);
  is_day constant boolean := at ~ '^\s*\d{4}-\d{2}-\d{2}\s*$';
  is_clock_time constant boolean := at ~ '^\s*\d{4}-\d{2}-\d{2}[ T]\d{1,2}:\d{2}(:\d{2})?\s*$';
  reach constant interval := case when extract(second from moment) = 0 then '1 minute' else '1 second' end;
  typed timestamp;
begin
  if moment is null or not isfinite(moment) then
    perform dba.refuse(format('"%s" is not a moment', at), 'Write it as 2026-12-24 06:20, or leave it out for the latest fire.');
  end if;
  if is_day then
    begins := array[moment];
    ends := array[((moment at time zone time_zone) + interval '1 day') at time zone time_zone];
    return;
  end if;
  begins := array[moment];
  if is_clock_time then
    typed := btrim(at)::timestamp;
    if (moment at time zone time_zone) <> typed then
      clock_words := format('The clocks of %s went forward then: %s did not exist.', time_zone, to_char(typed, 'HH24:MI'));
    else
      -- As the clocks go back, one reading stands for two moments.
      begins := array(
        select moment + step
        from unnest('{-2 hours,-1 hour,-30 minutes,0,30 minutes,1 hour,2 hours}'::interval[]) step
        where (moment + step) at time zone time_zone = typed
        order by step);
      if cardinality(begins) > 1 then
        clock_words := format('The clocks of %s went back then: %s came twice.', time_zone, to_char(typed, 'HH24:MI'));
      end if;
    end if;
  end if;
  ends := array(select b + reach from unnest(begins) b);
end
$$;
comment on function dba.asked_moments(text, text) is 'The stretches of time that a person means: a minute, a second, a day, or both minutes of a clock that goes back. Part of dba.why_not.';

create function dba.explain_latest_fire(terms dba.scheduler)
returns text
language plpgsql
stable
as $$
declare
  now_at constant timestamptz := statement_timestamp();
  planned_through constant timestamptz := (select p.planned_through from dba.plan p where p.schedule_id = terms.schedule_id);
  latest dba.run;
  owed timestamptz;
  waits constant text := dba.waiting_words(terms);
begin
  select * into latest from dba.run r
  where r.schedule_id = terms.schedule_id and r.scheduled_for <= now_at and r.due_at <= now_at
  order by r.scheduled_for desc limit 1;
  if terms.is_active and terms.cron is not null and lower(terms.cron) <> '@always' and planned_through < now_at then
    owed := dba.nth_last_fire(terms, greatest(planned_through, terms.updated_at), now_at, 1);
    if owed > coalesce(latest.scheduled_for, '-infinity') then
      return dba.explain_no_run(terms, array[owed], array[owed + interval '1 second']);
    end if;
  end if;
  if latest.run_id is not null then
    return concat_ws(' ', dba.explain_run(latest), waits, case when latest.state not in ('planned', 'waiting', 'queued', 'running') then dba.coming_words(terms) end);
  end if;
  return concat_ws(' ', format('"%s" has never been due; it was created at %s by %s.', terms.schedule_name,
    dba.local_time_text(date_trunc('second', terms.created_at), terms.time_zone), terms.created_by), waits, dba.coming_words(terms));
end
$$;
comment on function dba.explain_latest_fire(dba.scheduler) is 'What became of the latest fire that was due. Part of dba.why_not.';

create function dba.explain_no_run(terms dba.scheduler, begins timestamptz[], ends timestamptz[])
returns text
language plpgsql
stable
as $$
declare
  now_at constant timestamptz := statement_timestamp();
  at constant timestamptz := begins[1];
  at_words constant text := dba.local_time_text(at, terms.time_zone);
  former dba.scheduler := dba.terms_at(terms, at);
  edit record;
  fire timestamptz;
  outage dba.run;
begin
  if former.schedule_id is null then
    return format('"%s" did not exist at %s: it was created at %s by %s.', terms.schedule_name, at_words,
      dba.local_time_text(date_trunc('second', terms.created_at), terms.time_zone), terms.created_by);
  end if;
  select a.changed_by, a.changed_at, a.after into edit
  from dba.configaudit a
  where a.table_name = 'scheduler' and a.before ->> 'schedule_id' = terms.schedule_id::text and a.after is not null and a.changed_at > at
    and (a.before ->> 'is_active', a.before ->> 'cron', a.before ->> 'time_zone', a.before ->> 'dst_gap', a.before ->> 'dst_fold')
      is distinct from (a.after ->> 'is_active', a.after ->> 'cron', a.after ->> 'time_zone', a.after ->> 'dst_gap', a.after ->> 'dst_fold')
  order by a.audit_id limit 1;
  if not former.is_active and at > now_at then
    return format('"%s" does not fire at %s: it is %s (is_active is false).', terms.schedule_name, at_words, dba.switched_off_words(terms));
  elsif not former.is_active then
    return format('"%s" was switched off at %s (is_active was false)%s.', terms.schedule_name, at_words,
      case when edit.changed_at is null then '; ' || dba.switched_off_words(terms)
        else format('; %s changed it at %s', edit.changed_by, dba.local_time_text(date_trunc('second', edit.changed_at), terms.time_zone)) end);
  end if;

  select f into fire
  from unnest(begins, ends) as w (b, e), dba.cron_between(former.cron, former.time_zone, w.b - interval '1 microsecond', w.e - interval '1 microsecond', former.dst_gap, former.dst_fold, 1) f
  order by f limit 1;
  if fire is null then
    return concat_ws(' ',
      case
        when former.cron is null then format('"%s" has no fire at %s: it %s no cron.', terms.schedule_name, at_words, case when at > now_at then 'has' else 'had' end)
        when lower(former.cron) = '@always' then format('"%s" runs all the time (cron @always); it has no fire at %s.', terms.schedule_name, at_words)
        else format('"%s" never fires at %s: its cron "%s" fires %s.', terms.schedule_name, at_words, former.cron,
          concat_ws(' and ', dba.local_time_text(dba.nth_last_fire(former, at - interval '9 years', at, 1), former.time_zone) || ' before that',
            dba.local_time_text(dba.cron_next(former.cron, former.time_zone, at, former.dst_gap, former.dst_fold), former.time_zone) || ' after it'))
      end,
      case when edit.changed_at is not null then format('%s changed it at %s; its cron is %s now.', edit.changed_by,
        dba.local_time_text(date_trunc('second', edit.changed_at), terms.time_zone), coalesce('"' || terms.cron || '"', 'empty')) end,
      dba.waiting_words(terms));
  end if;
  if fire > now_at then
    return dba.explain_coming_fire(terms, fire);
  end if;

  select * into outage from dba.run r
  where r.schedule_id = terms.schedule_id and r.missed_count is not null and r.missed_from <= fire and r.missed_until >= fire
  order by r.scheduled_for desc limit 1;
  if found then
    return dba.explain_run(outage);
  end if;
  if fire < now_at - coalesce((select t.value::interval from dba.setting t where t.name = 'retention_run'), interval '400 days') then
    return format('The fire of %s is older than the ledger goes back (dba.setting.retention_run).', dba.local_time_text(fire, former.time_zone));
  end if;
  return concat_ws(' ', format('The fire of %s has not been taken up by any worker.', dba.local_time_text(fire, former.time_zone)),
    coalesce(dba.obstacle_words(terms, terms.lane, fire, false), 'It gets its row in dba.run within seconds.'));
end
$$;
comment on function dba.explain_no_run(dba.scheduler, timestamptz[], timestamptz[]) is 'Why there is no run at a time: no such fire, created or edited later, switched off, a long outage, nobody there. Part of dba.why_not.';

create function dba.explain_coming_fire(terms dba.scheduler, fire timestamptz)
returns text
language plpgsql
stable
as $$
declare
  planned record;
begin
  select f.* into planned from dba.fires(terms, fire - interval '1 microsecond', fire, 1) f;
  if planned.state = 'skipped' then
    return format('The fire of %s will not run: %s.', dba.local_time_text(fire, terms.time_zone), planned.reason);
  end if;
  return concat_ws(' ', format('It is still to come: "%s" is due at %s, %s%s.', terms.schedule_name, dba.local_time_text(planned.due_at, terms.time_zone),
    dba.in_words(planned.due_at), coalesce(' (' || planned.reason || ')', '')), dba.obstacle_words(terms, terms.lane, planned.due_at, false));
end
$$;
comment on function dba.explain_coming_fire(dba.scheduler, timestamptz) is 'What will become of a fire that has no row yet. Part of dba.why_not.';

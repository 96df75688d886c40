-- One run in words, and what stands in the way of one: the pieces that dba.why_not is put together from.

create function dba.explain_run(run dba.run)
returns text
language plpgsql
stable
as $$
declare
  terms dba.scheduler;
  zone text;
  what text;
  repeated dba.run;
begin
  select * into terms from dba.scheduler s where s.schedule_id = run.schedule_id;
  zone := coalesce(terms.time_zone, 'UTC');
  what := case
    when run.missed_count is not null then format('The fires from %s to %s', dba.local_time_text(run.missed_from, zone), dba.local_time_text(run.missed_until, zone))
    when run.trigger in ('request', 'api') then format('The run of %s that %s asked for', run.local_time, coalesce(run.requested_by, 'somebody'))
    when run.trigger = 'file' then format('The run for file %s', coalesce(run.args ->> 'file', run.fire_key))
    when run.trigger = 'notify' then format('The run of %s for a notification', run.local_time)
    else format('The fire of %s', run.local_time)
  end;
  select * into repeated from dba.run r where r.rerun_of = run.run_id order by r.due_at desc limit 1;
  return concat_ws(' ',
    case run.state
      when 'planned' then dba.explain_planned(run, terms, what)
      when 'waiting' then concat_ws(' ',
        format('%s waits: %s.', what, rtrim(run.reason, '.')),
        case when run.waits_for = 'retry' then format('Its last error: %s (%s). The next attempt is due %s.', run.error_message, run.error_code, dba.in_words(run.due_at)) end,
        dba.obstacle_words(terms, coalesce(run.lane, terms.lane), run.due_at, true))
      when 'queued' then concat_ws(' ',
        format('%s was handed to lane "%s" %s, and no worker has begun it.', what, run.lane, dba.in_words(run.queued_at)),
        coalesce(dba.obstacle_words(terms, run.lane, run.due_at, true), dba.busy_words(run.lane)))
      when 'running' then format('%s is running: since %s (%s), attempt %s on worker %s%s.', what, dba.local_time_text(date_trunc('second', run.started_at), zone),
        dba.in_words(run.started_at), run.attempt, run.worker, coalesce(', ' || round(run.progress * 100) || ' %', '') || coalesce(': ' || run.progress_note, ''))
      when 'succeeded' then format('It did run: %s succeeded at %s after %s%s.', lower(left(what, 1)) || substr(what, 2), dba.local_time_text(date_trunc('second', run.finished_at), zone),
        dba.span_words(run.finished_at - run.started_at), coalesce(' (' || nullif(concat_ws('; ', run.note, run.reason), '') || ')', ''))
      when 'failed' then concat_ws(' ',
        format('%s failed at %s, in attempt %s of %s: %s (%s).', what, dba.local_time_text(date_trunc('second', run.finished_at), zone), run.attempt, run.max_attempts,
          rtrim(run.error_message, '.'), run.error_code),
        run.error_detail, run.error_hint)
      when 'cancelled' then format('%s was cancelled: %s.', what, rtrim(coalesce(run.reason, 'by ' || run.requested_by, 'by Rota'), '.'))
      when 'skipped' then concat_ws(' ',
        format('%s %s: %s.', what, case when run.due_at > statement_timestamp() then 'will not run' else 'was skipped' end, rtrim(regexp_replace(run.reason, '^skipped (?=by )', 'taken out '), '.')),
        case when run.due_at > statement_timestamp() and run.requested_by is not null
          then format('To put it back: update dba.run set state = ''planned'' where run_id = %L.', run.run_id) end)
      when 'missed' then concat_ws(' ', format('%s %s missed: %s.', what, case when run.missed_count > 1 then 'were' else 'was' end, rtrim(run.reason, '.')),
        format('To run %s now: %s.', case when run.missed_count > 1 then 'them' else 'it' end,
          case when run.missed_count is null then format('select dba.rerun(%L)', run.run_id)
            else format('select * from dba.backfill(%L, ''…'')', run.schedule_name) end))
    end,
    case when run.state not in ('skipped', 'missed') or run.missed_count is null then format('(run_id %s)', run.run_id) end,
    case when repeated.run_id is not null then format('It was asked for again by %s: that run is %s.', repeated.requested_by, repeated.state) end);
end
$$;
comment on function dba.explain_run(dba.run) is 'One run in words: select dba.explain_run(r) from dba.run r where r.run_id = ….';

create function dba.explain_planned(run dba.run, terms dba.scheduler, what text)
returns text
language plpgsql
stable
as $$
declare
  obstacles constant text := dba.obstacle_words(terms, coalesce(run.lane, terms.lane), run.due_at, run.requested_by is not null);
begin
  if run.due_at > statement_timestamp() then
    return concat_ws(' ', format('%s is still to come: it is due %s%s.', what, dba.in_words(run.due_at),
      case when run.due_at <> run.scheduled_for then ', at ' || dba.local_time_text(run.due_at, coalesce(terms.time_zone, 'UTC')) || coalesce(' (' || run.reason || ')', '') else '' end),
      obstacles);
  end if;
  return concat_ws(' ', format('%s has been due for %s and no worker has taken it%s.', what, dba.span_words(statement_timestamp() - run.due_at), coalesce(' (' || run.reason || ')', '')),
    coalesce(obstacles, 'The next look of a worker takes it up, within seconds.'));
end
$$;
comment on function dba.explain_planned(dba.run, dba.scheduler, text) is 'A planned run in words. Part of dba.explain_run.';

create function dba.busy_words(lane text)
returns text
language sql
stable
as $$
  select format('The %s of the lane %s busy with %s.',
    case w.workers when 1 then 'worker' else format('%s workers', w.workers) end, case w.workers when 1 then 'is' else 'are' end,
    case r.runs when 1 then 'one run' else format('%s runs', r.runs) end)
  from (select count(*) as workers from dba.worker w where w.state = 'running' and w.heartbeat_at > statement_timestamp() - interval '20 seconds' and busy_words.lane = any (w.lanes)) w,
    (select count(*) as runs from dba.run r where r.state = 'running' and r.lane = busy_words.lane) r
$$;
comment on function dba.busy_words(text) is 'What the live workers of a lane are busy with. Part of dba.why_not.';

create function dba.switched_off_words(terms dba.scheduler)
returns text
language sql
stable
as $$
  select coalesce(
    (select format('switched off by %s at %s', a.changed_by, dba.local_time_text(date_trunc('second', a.changed_at), terms.time_zone))
     from dba.configaudit a
     where a.table_name = 'scheduler' and a.before ->> 'schedule_id' = terms.schedule_id::text and a.before ->> 'is_active' = 'true' and a.after ->> 'is_active' = 'false'
     order by a.audit_id desc limit 1),
    format('created so by %s at %s', terms.created_by, dba.local_time_text(date_trunc('second', terms.created_at), terms.time_zone)))
$$;
comment on function dba.switched_off_words(dba.scheduler) is 'Who switched a schedule off, and when. Part of dba.why_not.';

create function dba.config_switched_off_words(of_job text, of_config text)
returns text
language sql
stable
as $$
  select format(', by %s at %s', a.changed_by, dba.local_time_text(date_trunc('second', a.changed_at), dba.default_time_zone()))
  from dba.configaudit a
  where a.table_name = (select j.config_table from dba.job j where j.job = of_job) and a.row_key = of_config
    and coalesce(a.before ->> 'is_active', 'true') = 'true' and a.after ->> 'is_active' = 'false'
  order by a.audit_id desc limit 1
$$;
comment on function dba.config_switched_off_words(text, text) is 'Who switched a config off, and when. Part of dba.why_not.';

create function dba.obstacle_words(terms dba.scheduler, lane text, due_at timestamptz, is_settled boolean)
returns text
language sql
stable
as $$
  -- is_settled: a person asked for it, or it has been let through already, so the rules of the schedule no longer hold it.
  select nullif(concat_ws(' ',
    case when not dba.is_home() then 'Nothing fires in this database: '
      || case when (select t.value = 'true' from dba.setting t where t.name = 'is_live') then 'it is a restored copy' else 'dba.setting.is_live is false' end
      || '. To make it the live one: update dba.setting set value = ''true'' where name = ''is_live''.' end,
    case when not is_settled and not terms.is_active then format('"%s" is switched off: %s.', terms.schedule_name, dba.switched_off_words(terms)) end,
    case when not is_settled and terms.paused_until > due_at
      then format('It will be skipped: %s.', dba.pause_words('the schedule', terms.paused_by, terms.paused_until, terms.pause_reason, terms.time_zone)) end,
    case when not is_settled and (select not c.is_active from dba.jobconfig c where c.job = terms.job and c.config_name = terms.config_name)
      then format('It will be skipped: config "%s" is switched off (is_active is false in dba.%s)%s.', terms.config_name,
        (select j.config_table from dba.job j where j.job = terms.job), dba.config_switched_off_words(terms.job, terms.config_name)) end,
    case when terms.config_state = 'invalid' then format('What it shall do is not right: %s.', rtrim(coalesce(terms.config_message, 'see dba.scheduler.config_message'), '.')) end,
    case when l.paused_until > greatest(due_at, statement_timestamp())
      then format('It has to wait: %s.', dba.pause_words(format('lane "%s"', l.lane), l.paused_by, l.paused_until, l.pause_reason, terms.time_zone)) end,
    case when not dba.lane_is_alive(obstacle_words.lane) then format('No live worker takes part in lane "%s"%s. To start one: ROTA_LANES=%1$s npx rota worker.', obstacle_words.lane,
      coalesce((select format('; the last sign of life came %s from %s (%s)', dba.in_words(w.heartbeat_at), w.worker, w.state)
        from dba.worker w where obstacle_words.lane = any (w.lanes) order by w.heartbeat_at desc limit 1), '')) end), '')
  from (select) as one left join dba.lane l on l.lane = obstacle_words.lane
$$;
comment on function dba.obstacle_words(dba.scheduler, text, timestamptz, boolean) is 'What stands in the way of a run as things are now; null: nothing. Part of dba.why_not.';

create function dba.waiting_words(terms dba.scheduler)
returns text
language plpgsql
stable
as $$
begin
  return nullif(concat_ws(' ',
    case when terms.run_after is not null then format('It runs after %s (run_after_state %s): %s.', dba.name_list(terms.run_after), terms.run_after_state, (
      select string_agg(
        case when ended.run_id is not null then format('"%s" has so ended at %s', u.name, dba.local_time_text(date_trunc('second', ended.ended_at), terms.time_zone))
          else format('"%s" has not so ended since%s', u.name, case when last_run.state is null then ', it has had no run'
            else format(' (its last run %s at %s)', case when last_run.state in ('succeeded', 'failed') then last_run.state else 'was ' || last_run.state end, dba.local_time_text(date_trunc('second', last_run.finished_at), terms.time_zone)) end) end,
        ', ' order by u.name)
      from unnest(terms.run_after) as u (name)
      left join lateral (
        select e.run_id, e.ended_at from dba.plan p, dba.upstream_ends(terms, p.waits_since) e
        where p.schedule_id = terms.schedule_id and e.schedule_name = u.name and e.counts order by e.ended_at desc limit 1) ended on true
      left join lateral (
        select r.state, r.finished_at from dba.scheduler s join dba.run r on r.schedule_id = s.schedule_id
        where s.schedule_name = u.name and r.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed') order by r.finished_at desc nulls last limit 1) last_run on true)) end,
    case when terms.on_file is not null then format('It waits for files that match "%s" and have stopped changing%s.', terms.on_file,
      coalesce((select format('; the last one came at %s', r.local_time) from dba.run r where r.schedule_id = terms.schedule_id and r.trigger = 'file' order by r.scheduled_for desc limit 1), '; none has come so far')) end,
    case when terms.on_notify is not null then format('It waits for NOTIFY %s.', terms.on_notify) end,
    case when terms.cron is null and terms.run_after is null and terms.on_file is null and terms.on_notify is null
      then format('It runs on request only: select dba.run_now(%L).', terms.schedule_name) end), '');
end
$$;
comment on function dba.waiting_words(dba.scheduler) is 'What a schedule waits for that has no cron, or something besides. Part of dba.why_not.';

create function dba.coming_words(terms dba.scheduler)
returns text
language sql
stable
as $$
  select case
    when not terms.is_active then format('It is switched off now: %s.', dba.switched_off_words(terms))
    when terms.cron is null or lower(terms.cron) = '@always' then null
    when terms.paused_until > statement_timestamp() then format('Now %s.', dba.pause_words('the schedule', terms.paused_by, terms.paused_until, terms.pause_reason, terms.time_zone))
    else 'It fires next at ' || dba.local_time_text(next.due_at, terms.time_zone) || ', ' || dba.in_words(next.due_at) || '.'
  end
  from (select) as one
  left join lateral (
    select f.due_at from dba.coming_fires(terms, statement_timestamp(), 5) f
    where f.state = 'planned'
      and not exists (select from dba.run r where r.schedule_id = terms.schedule_id and r.fire_key = dba.fire_key(f.scheduled_for) and r.state = 'skipped')
    order by f.due_at limit 1
  ) next on terms.is_active and terms.cron is not null
$$;
comment on function dba.coming_words(dba.scheduler) is 'When a schedule fires next, or why it does not. Part of dba.why_not.';

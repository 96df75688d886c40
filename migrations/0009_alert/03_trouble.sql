-- What is wrong at a moment, each thing one row: what incidents are opened, counted up and closed by.

create type dba.trouble as (
  kind         text,
  subject      text,
  severity     text,
  message      text,
  fix          text,
  began_at     timestamptz,
  cause_at     timestamptz,
  times        bigint,
  owner        text,
  schedule_id  bigint,
  run_id       uuid
);
comment on type dba.trouble is 'One trouble, as the watch finds it. times: how often since the incident last saw it; cause_at: when its cause last came anew.';

create function dba.run_trouble(at timestamptz, schedules bigint[])
returns setof dba.trouble
language sql
stable
as $$
  with asked as materialized (
    select s.*, a.cause_at as failed_before, b.cause_at as missed_before
    from dba.scheduler s
    left join dba.alert a on a.kind = 'failed' and a.subject = s.schedule_name and a.state <> 'recovered'
    left join dba.alert b on b.kind = 'missed' and b.subject = s.schedule_name and b.state <> 'recovered'
    where s.alert_on && '{failed,missed}' and (run_trouble.schedules is null or s.schedule_id = any (run_trouble.schedules))
  )
  select 'failed', s.schedule_name, case when s.generated_by is null or num_nonnulls(s.cron, s.on_file, s.on_notify, s.run_after) > 0 then 'severe' else 'warning' end,
    format('its latest run failed%s: %s (%s)', case when f.attempt > 1 then format(' after %s attempts', f.attempt) else '' end, f.error_message, f.error_code)
      || coalesce('. ' || rtrim(f.error_detail, '.'), '') || coalesce('. ' || f.error_hint, ''),
    format('select dba.rerun(%L);', f.run_id), n.first_at, f.finished_at, n.times, s.owner, s.schedule_id, f.run_id
  from asked s
  cross join lateral (
    select r.run_id, r.finished_at, r.attempt, r.error_code, r.error_message, r.error_detail, r.error_hint, r.trigger from dba.run r
    where r.schedule_id = s.schedule_id and r.state = 'failed' and r.finished_at <= run_trouble.at order by r.finished_at desc limit 1
  ) f
  left join lateral (
    select r.finished_at from dba.run r
    where r.schedule_id = s.schedule_id and r.state = 'succeeded' and r.finished_at <= run_trouble.at order by r.finished_at desc limit 1
  ) g on true
  cross join lateral (
    select count(*) as times, coalesce(min(c.finished_at), f.finished_at) as first_at from (
      select r.finished_at from dba.run r
      where r.schedule_id = s.schedule_id and r.state = 'failed' and r.finished_at > coalesce(s.failed_before, g.finished_at, '-infinity') and r.finished_at <= f.finished_at
      order by r.finished_at desc limit 1000
    ) c
  ) n
  where 'failed' = any (s.alert_on) and f.finished_at > coalesce(g.finished_at, '-infinity')
    -- Of one that is switched off only what somebody asked for since is of interest.
    and (s.is_active or f.trigger in ('request', 'api') and f.finished_at > s.updated_at)

  union all
  select 'failed', s.schedule_name, 'severe',
    format('it shall run all the time, and its run ended by itself %s times: %s', r.attempt, coalesce(l.error_message, 'no more is known')) || coalesce(' (' || l.error_code || ')', ''),
    format('select dba.why_not(%L);', s.schedule_name), l.finished_at, l.finished_at, 1, s.owner, s.schedule_id, r.run_id
  from dba.run r
  join dba.scheduler s using (schedule_id)
  cross join lateral (select a.* from dba.attempt a where a.run_id = r.run_id and a.outcome in ('failed', 'lost') order by a.attempt desc limit 1) l
  where r.trigger = 'always' and r.state in ('waiting', 'queued', 'running') and r.attempt >= 3 and 'failed' = any (s.alert_on) and s.is_active
    and (select count(*) from dba.attempt a where a.run_id = r.run_id and a.attempt > r.attempt - 5 and a.outcome in ('failed', 'lost') and a.finished_at > run_trouble.at - interval '15 minutes') >= 3

  union all
  select 'missed', s.schedule_name, 'warning', format('its latest fire was missed: %s', m.reason),
    format('select * from dba.backfill(%L, %L);', s.schedule_name, to_char(coalesce(m.missed_from, m.scheduled_for) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"')),
    coalesce(m.missed_from, m.scheduled_for), coalesce(m.finished_at, m.scheduled_for),
    (select sum(coalesce(r.missed_count, 1)) from (
       select r.missed_count from dba.run r
       where r.schedule_id = s.schedule_id and r.state = 'missed' and coalesce(r.finished_at, r.scheduled_for) > coalesce(s.missed_before, m.finished_at - interval '1 minute') order by r.scheduled_for desc limit 1000) r),
    s.owner, s.schedule_id, m.run_id
  from asked s
  cross join lateral (
    select r.* from dba.run r
    where r.schedule_id = s.schedule_id and r.scheduled_for <= run_trouble.at and r.state in ('succeeded', 'failed', 'cancelled', 'running', 'missed')
    order by r.scheduled_for desc limit 1
  ) m
  where m.state = 'missed' and s.is_active and 'missed' = any (s.alert_on)
$$;
comment on function dba.run_trouble(timestamptz, bigint[]) is 'Schedules whose latest end is a failure or a miss. Null for schedules: all.';

create function dba.last_due_by(schedule dba.scheduler, at timestamptz)
returns timestamptz
language sql
stable
as $$
  select max((here.day + d) at time zone schedule.time_zone)
  from (select (at at time zone schedule.time_zone)::date as day) here, unnest(schedule.due_by) d
  where (here.day + d) at time zone schedule.time_zone <= at
$$;
comment on function dba.last_due_by(dba.scheduler, timestamptz) is 'The last due_by of a schedule that has struck today, whatever its calendar says; null: none yet.';

create function dba.late_trouble(at timestamptz)
returns setof dba.trouble
language sql
stable
as $$
  with asked as materialized (
    select s as terms, s.*, case when s.on_file is not null or s.job = 'inbox' then 'absent' else 'late' end as kind from dba.scheduler s where s.due_by is not null and s.is_active
  )
  select s.kind, s.schedule_name, 'severe',
    format('%s by %s; it is due by %s',
      case when s.on_file is not null then format('no file that is called %s came', s.on_file) when s.kind = 'absent' then 'no mail with something to keep came' else 'nothing came' end,
      dba.local_time_text(due.struck_at, s.time_zone), array_to_string(array(select to_char(d, 'HH24:MI') from unnest(s.due_by) d), ', ')),
    format('select dba.why_not(%L);', s.schedule_name), due.struck_at, due.struck_at, 1, s.owner, s.schedule_id, null::uuid
  from asked s
  cross join lateral (select dba.last_due_by(s.terms, late_trouble.at) as struck_at) due
  where coalesce(s.paused_until, late_trouble.at) <= late_trouble.at
    -- Hours that struck before the schedule was written like this count for nobody.
    and due.struck_at > s.updated_at and dba.due_by_state(s.terms, late_trouble.at) = 'late'
  union all
  -- Tomorrow it is still late.
  select a.kind, a.subject, a.severity, a.message, a.fix, a.opened_at, a.cause_at, 0, s.owner, s.schedule_id, a.run_id
  from dba.alert a
  join asked s on s.schedule_name = a.subject and s.kind = a.kind
  where a.kind in ('late', 'absent') and a.state <> 'recovered' and dba.first_brought_at(s.terms, a.cause_at, late_trouble.at) is null
$$;
comment on function dba.late_trouble(timestamptz) is 'Schedules whose due_by has struck on a working day and that brought nothing since, even if nothing ever started.';

create function dba.standing_trouble(at timestamptz)
returns setof dba.trouble
language sql
stable
as $$
  select * from dba.late_trouble(at)

  union all
  select 'quarantined', q.about, 'warning',
    format('datasets held back: %s, the latest %s', q.count, q.latest) || coalesce(': ' || q.reason, ''),
    format('update dba.dataset set state = ''active'' where dataset_id = %s; or state = ''deleted''', q.latest),
    q.began_at, q.cause_at, 1, null, (select min(s.schedule_id) from dba.scheduler s where s.config_name = q.about and s.job = q.job), null
  from (
    select coalesce(d.config_name, d.label) as about, min(d.job) as job, count(*) as count, max(d.dataset_id) as latest, min(d.created_at) as began_at, max(d.created_at) as cause_at,
      (array_agg(d.reason order by d.dataset_id desc))[1] as reason
    from dba.dataset d where d.state = 'quarantined' group by 1
  ) q

  union all
  select 'connection', k.connection_name, 'warning', 'the connection does not answer: ' || coalesce(k.check_message, 'no more is known'),
    format('select dba.check_connection(%L);', k.connection_name), k.checked_at, k.checked_at, 1, k.owner, null, null
  from dba.connection k
  -- One that is being tried again has not answered yet.
  where k.checked_at is not null and (k.check_state = 'failed'
    or k.check_state in ('asked', 'unchecked') and exists (
      select from dba.alert a where a.kind = 'connection' and a.subject = k.connection_name and a.state <> 'recovered'))

  union all
  select 'secret', n.secret_name, case when n.left_over < interval '2 days' then 'severe' else 'warning' end,
    case when n.left_over <= '0' then format('it expired %s', dba.in_words(n.expires_at, n.at)) else format('it expires %s, on %s', dba.in_words(n.expires_at, n.at), to_char(n.expires_at at time zone 'UTC', 'YYYY-MM-DD')) end
      || coalesce('; used by ' || dba.name_list(array(select k.connection_name from dba.connection k where k.secret_name = n.secret_name)), ''),
    format('rota secret set %s --expires …', n.secret_name), n.at, n.expires_at, 0,
    (select min(k.owner) from dba.connection k where k.secret_name = n.secret_name), null, null
  from (
    select s.secret_name, s.expires_at, s.expires_at - standing_trouble.at as left_over, standing_trouble.at as at from dba.secret s
    where s.expires_at < standing_trouble.at + coalesce((select t.value::interval from dba.setting t where t.name = 'secret_warning'), interval '0')
  ) n

  union all
  select 'disk', d.host || ':' || d.path, 'severe',
    format('%s of %s are free (%s %%)', pg_size_pretty(d.free_bytes), pg_size_pretty(d.total_bytes), round(100.0 * d.free_bytes / greatest(d.total_bytes, 1), 1)),
    'Make room there; the limits are dba.setting.min_free_bytes and min_free_percent.', d.seen_at, d.seen_at, 0, null, null, null
  from dba.disk d
  where d.seen_at > standing_trouble.at - interval '10 minutes'
    and (d.free_bytes < coalesce((select t.value::numeric from dba.setting t where t.name = 'min_free_bytes'), 0)
      or 100.0 * d.free_bytes < d.total_bytes * coalesce((select t.value::numeric from dba.setting t where t.name = 'min_free_percent'), 0))

  union all
  -- Of alerts that do not arrive no alert can tell.
  select 'mail', m.subject, m.severity, m.message, m.fix, m.since, m.since, 1, null,
    (select min(s.schedule_id) from dba.scheduler s where s.config_name = m.subject and s.job = 'report'), null
  from (
    select distinct on (p.subject) p.* from dba.outbox_problem() p order by p.subject, array_position('{severe,warning}', p.severity)
  ) m
  where m.subject <> 'alert' and exists (select from dba.outbox o where coalesce(o.config_name, o.schedule_name, o.kind) = m.subject and o.kind = 'report')
$$;
comment on function dba.standing_trouble(timestamptz) is 'What stands wrong at that moment beside the ends of runs: late, absent, quarantined, connection, secret, disk, mail. A later migration that knows further kinds replaces it.';

create function dba.lane_trouble(at timestamptz)
returns setof dba.trouble
language sql
stable
as $$
  select 'worker_gone', l.lane, 'severe',
    format('no live worker takes part in this lane, and %s', case count(*) when 1 then format('schedule "%s" needs one', min(s.schedule_name)) else format('%s active schedules need one', count(*)) end),
    format('Start one: ROTA_LANES=%s npx rota worker. Or: update dba.scheduler set lane = ''…'' where lane = %1$L;', l.lane),
    coalesce(w.gone_at, min(s.created_at)), coalesce(w.gone_at, min(s.created_at)), 1, null, null::bigint, null::uuid
  from dba.lane l
  left join lateral (select max(w.heartbeat_at) as gone_at from dba.worker w where l.lane = any (w.lanes)) w on true
  join dba.scheduler s on s.lane = l.lane and s.is_active
  where not exists (
    select from dba.worker w
    where w.state = 'running' and w.heartbeat_at > lane_trouble.at - interval '1 minute' and l.lane = any (w.lanes))
    and s.created_at < lane_trouble.at - interval '1 minute'
  group by l.lane, w.gone_at
$$;
comment on function dba.lane_trouble(timestamptz) is 'Lanes that active schedules need and that no worker has taken part in for a minute.';

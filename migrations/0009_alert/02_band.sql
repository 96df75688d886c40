-- What is usual: the middle and the spread of the good runs of the same weekday.

create function dba.run_band(schedule bigint, time_zone text, at timestamptz)
returns table (runs bigint, seconds numeric, seconds_spread numeric, rows_moved numeric, rows_spread numeric, bytes numeric, bytes_spread numeric)
language sql
stable
as $$
  with good as materialized (
    select
      extract(epoch from r.finished_at - r.started_at) as seconds, coalesce(r.rows_written, 0)::numeric as rows_moved, coalesce(r.bytes_read, 0)::numeric as bytes
    from dba.run r
    where r.schedule_id = run_band.schedule and r.state = 'succeeded' and r.finished_at < run_band.at
      and extract(isodow from r.finished_at at time zone run_band.time_zone) = extract(isodow from run_band.at at time zone run_band.time_zone)
    order by r.finished_at desc
    limit 20
  ), middle as (
    select count(*) as runs,
      percentile_cont(0.5) within group (order by g.seconds) as seconds,
      percentile_cont(0.5) within group (order by g.rows_moved) as rows_moved,
      percentile_cont(0.5) within group (order by g.bytes) as bytes
    from good g
  ), spread as (
    select
      percentile_cont(0.5) within group (order by abs(g.seconds::float8 - m.seconds)) as seconds,
      percentile_cont(0.5) within group (order by abs(g.rows_moved::float8 - m.rows_moved)) as rows_moved,
      percentile_cont(0.5) within group (order by abs(g.bytes::float8 - m.bytes)) as bytes
    from good g, middle m
  )
  -- Runs that were all alike leave room for a twentieth, and for a second.
  select m.runs, m.seconds::numeric, greatest(s.seconds, m.seconds / 20, 1)::numeric, m.rows_moved::numeric, greatest(s.rows_moved, m.rows_moved / 20)::numeric,
    m.bytes::numeric, greatest(s.bytes, m.bytes / 20)::numeric
  from middle m, spread s
$$;
comment on function dba.run_band(bigint, text, timestamptz) is 'What is usual for a schedule on the weekday of that moment, of at most 20 runs before it: medians, and median deviations of at least a twentieth (and a second).';

create function dba.judge_runs(since timestamptz, at timestamptz, schedules bigint[])
returns table (kind text, schedule_id bigint, run_id uuid, message text, cause_at timestamptz)
language sql
stable
as $$
  with asked as materialized (
    select s.schedule_id, s.time_zone, s.alert_on from dba.scheduler s
    where s.alert_on && '{slow,small,empty}' and s.is_active and (judge_runs.schedules is null or s.schedule_id = any (judge_runs.schedules))
  ), latest as (
    select a.*, r.run_id, r.finished_at, r.finished_at as judged_at, extract(epoch from r.finished_at - r.started_at) as seconds,
      coalesce(r.rows_written, 0) as rows_moved, coalesce(r.bytes_read, 0) as bytes, coalesce(r.files, 0) as files
    from asked a
    cross join lateral (
      select * from dba.run r
      where r.schedule_id = a.schedule_id and r.state = 'succeeded' and r.finished_at > judge_runs.since and r.finished_at <= judge_runs.at
      order by r.finished_at desc limit 1
    ) r
    union all
    -- What still goes on may be slow already.
    select a.*, r.run_id, null, judge_runs.at, extract(epoch from judge_runs.at - r.started_at), null, null, null
    from dba.run r join asked a using (schedule_id)
    where r.state = 'running' and r.trigger <> 'always' and 'slow' = any (a.alert_on)
  ), seen as (
    select l.*, b.runs, b.seconds as usual_seconds, b.seconds_spread, b.rows_moved as usual_rows, b.rows_spread, b.bytes as usual_bytes, b.bytes_spread, k.band,
      to_char(l.judged_at at time zone l.time_zone, 'FMDay') as weekday
    from latest l
    cross join (select coalesce((select t.value::numeric from dba.setting t where t.name = 'alert_band'), 5) as band) k
    cross join lateral dba.run_band(l.schedule_id, l.time_zone, l.judged_at) b
  )
  select 'slow', n.schedule_id, n.run_id,
    format('%s %s; usual on a %s are %s, and %s at most (median of %s runs and %s deviations of %s)', case when n.finished_at is null then 'it has been running for' else 'its run took' end,
      dba.span_words(make_interval(secs => n.seconds::float8)), n.weekday, dba.span_words(make_interval(secs => n.usual_seconds::float8)),
      dba.span_words(make_interval(secs => (n.usual_seconds + n.band * n.seconds_spread)::float8)), n.runs, n.band, dba.span_words(make_interval(secs => n.seconds_spread::float8))),
    coalesce(n.finished_at, n.judged_at - make_interval(secs => n.seconds::float8))
  from seen n
  where 'slow' = any (n.alert_on) and n.runs >= 5 and n.seconds > n.usual_seconds + n.band * n.seconds_spread
  union all
  select 'small', n.schedule_id, n.run_id,
    format('its run brought %s; usual on a %s are %s, and %s at least (median of %s runs and %s deviations)', m.figure, n.weekday, m.usual, m.least, n.runs, n.band), n.finished_at
  from seen n
  cross join lateral (
    select format('%s rows', n.rows_moved) as figure, round(n.usual_rows)::text as usual, ceil(n.usual_rows - n.band * n.rows_spread)::text as least where n.rows_moved < n.usual_rows - n.band * n.rows_spread
    union all
    select format('%s bytes', n.bytes), round(n.usual_bytes)::text, ceil(n.usual_bytes - n.band * n.bytes_spread)::text where n.bytes < n.usual_bytes - n.band * n.bytes_spread
    limit 1
  ) m
  where 'small' = any (n.alert_on) and n.finished_at is not null and n.runs >= 5 and not (n.rows_moved = 0 and n.files = 0 and 'empty' = any (n.alert_on))
  union all
  select 'empty', n.schedule_id, n.run_id,
    'its run brought nothing' || case when n.runs >= 5 then format('; usual on a %s are %s rows (median of %s runs)', n.weekday, round(n.usual_rows), n.runs) else '' end, n.finished_at
  from seen n
  -- Where nothing is what usually comes, nothing is no trouble.
  where 'empty' = any (n.alert_on) and n.finished_at is not null and n.rows_moved = 0 and n.files = 0 and not (n.runs >= 5 and n.usual_rows = 0)
  union all
  -- Judged, and nothing to say.
  select null, n.schedule_id, n.run_id, null, n.finished_at from seen n where n.finished_at is not null
$$;
comment on function dba.judge_runs(timestamptz, timestamptz, bigint[]) is 'Latest successes since then, and runs that go on, against what is usual: a row per finding, and one without kind for each schedule that was judged. Null for schedules: all that ask for it.';

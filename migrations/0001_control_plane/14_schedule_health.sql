-- How each schedule is doing, computed from its runs and stored nowhere.

create function dba.first_brought_at(schedule dba.scheduler, since timestamptz, until timestamptz)
returns timestamptz
language sql
stable
as $$
  select min(r.finished_at)
  from dba.run r
  where r.schedule_id = schedule.schedule_id and r.state = 'succeeded' and r.finished_at >= since and r.finished_at <= until
    and (r.rows_written > 0 or r.files > 0)
$$;
comment on function dba.first_brought_at(dba.scheduler, timestamptz, timestamptz) is 'When a schedule first brought something in that stretch of time: the end of a run that succeeded and moved rows or files. Null: it did not.';

create function dba.due_by_state(schedule dba.scheduler, at timestamptz default statement_timestamp())
returns text
language sql
stable
as $$
  with clock as (
    select at at time zone schedule.time_zone as here, (at at time zone schedule.time_zone)::date as day
  ), due as (
    -- The last hour that has struck today, and the stretch before it that counts: since the hour before it, or midnight.
    select d as struck, coalesce((select max(e) from unnest(schedule.due_by) e where e < d), '00:00') as since
    from clock, unnest(schedule.due_by) d
    where clock.day + d <= clock.here
    order by d desc
    limit 1
  ), moved as (
    select dba.first_brought_at(schedule, (clock.day + due.since) at time zone schedule.time_zone, at) as first_at
    from clock, due
  )
  select case
    when schedule.due_by is null then null
    when schedule.calendar is not null and not dba.is_workday(schedule.calendar, clock.day) then 'free day'
    when due.struck is null then 'not yet due'
    when moved.first_at <= (clock.day + due.struck) at time zone schedule.time_zone then 'met'
    when moved.first_at is not null then 'met late'
    else 'late'
  end
  from clock left join due on true left join moved on true
$$;
comment on function dba.due_by_state(dba.scheduler, timestamptz) is 'Has a schedule with due_by brought something in time today? not yet due, met, met late, late or free day; null without due_by.';

create view dba.schedule_health as
  select
    s.schedule_name,
    s.job,
    s.config_name,
    s.lane,
    s.is_active,
    s.paused_until,
    latest.state as last_state,
    latest.happened_at as last_run_at,
    latest.message as last_message,
    success.finished_at as last_success_at,
    coalesce(failures.streak, 0) as failure_streak,
    usual.median_duration as usual_duration,
    usual.p95_duration,
    open_run.running_since,
    case when coming.is_overdue then statement_timestamp() - coming.due_at else latest.lateness end as lateness,
    coalesce(coming.is_overdue, false) as is_overdue,
    coalesce(coming.due_at, case when s.is_active then s.next_fire_at end) as next_fire_at,
    dba.due_by_state(s) as due_by_state,
    s.owner,
    latest.run_id as last_run_id,
    s.schedule_id
  from dba.scheduler s
  left join lateral (
    select
      r.run_id, r.state,
      coalesce(r.started_at, r.finished_at, r.due_at) as happened_at,
      case r.state when 'failed' then r.error_message else coalesce(r.note, r.reason) end as message,
      -- A retry moves due_at, so that only the nominal fire tells how late the first attempt was.
      greatest(r.started_at - case when r.attempt > 1 then r.scheduled_for else r.due_at end, '0') as lateness
    from dba.run r
    where r.schedule_id = s.schedule_id and r.scheduled_for <= statement_timestamp()
      and r.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed')
    order by r.scheduled_for desc
    limit 1
  ) latest on true
  left join lateral (
    select r.finished_at
    from dba.run r
    where r.schedule_id = s.schedule_id and r.state = 'succeeded'
    order by r.finished_at desc
    limit 1
  ) success on true
  left join lateral (
    select count(*) as streak
    from (
      select
      from dba.run r
      where r.schedule_id = s.schedule_id and r.state = 'failed' and r.finished_at > coalesce(success.finished_at, '-infinity')
      order by r.finished_at desc
      limit 1000
    ) f
  ) failures on true
  left join lateral (
    select
      percentile_cont(0.5) within group (order by d.duration) as median_duration,
      percentile_cont(0.95) within group (order by d.duration) as p95_duration
    from (
      select r.finished_at - r.started_at as duration
      from dba.run r
      where r.schedule_id = s.schedule_id and r.state = 'succeeded'
      order by r.finished_at desc
      limit 20
    ) d
  ) usual on true
  left join lateral (
    select min(r.started_at) as running_since
    from dba.run r
    where r.schedule_id = s.schedule_id and r.state = 'running'
  ) open_run on true
  left join lateral (
    select r.due_at, r.due_at < statement_timestamp() - interval '1 minute' and r.state <> 'waiting' as is_overdue
    from dba.run r
    where r.schedule_id = s.schedule_id and r.state in ('planned', 'waiting', 'queued')
      and not (r.state = 'planned' and r.requested_by is null and coalesce(s.paused_until > r.due_at, false))
    order by r.due_at
    limit 1
  ) coming on true;
comment on view dba.schedule_health is 'How each schedule is doing: select * from dba.schedule_health order by failure_streak desc. What is wrong in all: dba.problem.';
comment on column dba.schedule_health.schedule_name is 'The schedule.';
comment on column dba.schedule_health.job is 'Kind of work.';
comment on column dba.schedule_health.config_name is 'Row of the job''s settings table.';
comment on column dba.schedule_health.lane is 'Stream of work.';
comment on column dba.schedule_health.is_active is 'False: it does not fire.';
comment on column dba.schedule_health.paused_until is 'Until then it is paused; infinity: until select dba.resume(''…'').';
comment on column dba.schedule_health.last_state is 'How its latest run ended: succeeded, failed, cancelled, skipped or missed; null: it has had none.';
comment on column dba.schedule_health.last_run_at is 'When that was.';
comment on column dba.schedule_health.last_message is 'What came of it, in one line.';
comment on column dba.schedule_health.last_success_at is 'When a run last succeeded.';
comment on column dba.schedule_health.failure_streak is 'Failed runs since then; 1000 stands for any number above.';
comment on column dba.schedule_health.usual_duration is 'Median of its last 20 successes.';
comment on column dba.schedule_health.p95_duration is 'All but one in twenty of them were shorter.';
comment on column dba.schedule_health.running_since is 'When the run that is going on began; null: none is.';
comment on column dba.schedule_health.lateness is 'How long after its time the latest run began; for an overdue one, how long it has been due.';
comment on column dba.schedule_health.is_overdue is 'True: a run has been due for more than a minute and has not begun.';
comment on column dba.schedule_health.next_fire_at is 'When it is due next.';
comment on column dba.schedule_health.due_by_state is 'With due_by: not yet due, met, met late, late or free day.';
comment on column dba.schedule_health.owner is 'Who answers for it.';
comment on column dba.schedule_health.last_run_id is 'Its latest run.';
comment on column dba.schedule_health.schedule_id is 'Number of the schedule.';

-- What people read: what comes, what went, what was said.

create view dba.next_run as
  select
    r.due_at,
    dba.in_words(r.due_at) as in_words,
    r.schedule_name,
    r.state,
    r.local_time,
    case
      when r.state = 'planned' and r.requested_by is null and s.paused_until > r.due_at
        then 'will be skipped: ' || dba.pause_words('schedule', s.paused_by, s.paused_until, s.pause_reason, s.time_zone)
      when r.state = 'planned' and l.paused_until > r.due_at
        then 'will wait: ' || dba.pause_words(format('lane "%s"', l.lane), l.paused_by, l.paused_until, l.pause_reason, s.time_zone)
      else r.reason
    end as reason,
    r.job,
    r.config_name,
    coalesce(r.lane, s.lane) as lane,
    coalesce(r.priority, s.priority) as priority,
    r.trigger,
    r.scheduled_for,
    r.attempt,
    r.requested_by,
    r.run_id
  from (
    -- Each part in order, so that the first rows are read from the indexes and not picked out of all.
    (select * from dba.run where state = 'planned' or state = 'waiting' and attempt > 0 order by due_at)
    union all
    (select * from dba.run where state = 'waiting' and attempt = 0 order by due_at)
    union all
    (select * from dba.run where state = 'queued' order by due_at)
  ) r
  left join dba.scheduler s on s.schedule_id = r.schedule_id
  left join dba.lane l on l.lane = coalesce(r.lane, s.lane)
  order by r.due_at, r.run_id;
comment on view dba.next_run is 'What comes next, in order: select * from dba.next_run limit 20. To take a fire out: update dba.run set state = ''skipped'' where run_id = …. Any window of all schedules: dba.forecast.';
comment on column dba.next_run.due_at is 'When it may start.';
comment on column dba.next_run.in_words is 'How far away that is: in 2 h 10 min; 3 min ago when it is overdue.';
comment on column dba.next_run.schedule_name is 'The schedule.';
comment on column dba.next_run.state is 'planned, waiting (reason says for what) or queued (handed out, a worker takes it when it is free).';
comment on column dba.next_run.local_time is 'The nominal fire in the zone of the schedule.';
comment on column dba.next_run.reason is 'What it waits for, why it was moved, or why it will not run.';
comment on column dba.next_run.job is 'Kind of work.';
comment on column dba.next_run.config_name is 'Row of the job''s settings table.';
comment on column dba.next_run.lane is 'Stream of work it goes to.';
comment on column dba.next_run.priority is 'Higher starts first.';
comment on column dba.next_run.trigger is 'Why it fires: cron, request, file, notify, after, catch_up, always, api.';
comment on column dba.next_run.scheduled_for is 'The nominal fire.';
comment on column dba.next_run.attempt is 'Attempts made so far; above 0 it waits for a retry.';
comment on column dba.next_run.requested_by is 'Who asked for it; null: its schedule.';
comment on column dba.next_run.run_id is 'The run: cancel it with select dba.cancel(run_id).';

create view dba.recent_run as
  select
    coalesce(r.started_at, r.finished_at, r.due_at) as happened_at,
    r.schedule_name,
    r.state,
    date_trunc('milliseconds', coalesce(r.finished_at, statement_timestamp()) - r.started_at) as duration,
    r.rows_written as rows,
    case
      when r.state = 'failed' then r.error_message
      when r.state = 'running' then coalesce(r.progress_note, r.reason)
      else coalesce(r.note, r.reason)
    end as message,
    r.error_code,
    r.error_detail,
    r.error_hint,
    r.attempt,
    r.trigger,
    r.job,
    r.config_name,
    r.args,
    r.local_time,
    r.scheduled_for,
    r.started_at,
    r.finished_at,
    r.rows_read,
    r.rows_rejected,
    r.files,
    r.progress,
    r.worker,
    r.requested_by,
    r.requested_reason,
    r.rerun_of,
    r.run_id
  from dba.run r
  where r.state in ('running', 'succeeded', 'failed', 'cancelled', 'skipped', 'missed')
    and coalesce(r.started_at, r.finished_at, r.due_at) <= statement_timestamp()
  order by coalesce(r.started_at, r.finished_at, r.due_at) desc;
comment on view dba.recent_run is 'What went on, newest first: select * from dba.recent_run where schedule_name = ''…'' limit 20. Its log: select * from dba.run_log where run_id = ….';
comment on column dba.recent_run.happened_at is 'When it began; for a run that never began, when it would have.';
comment on column dba.recent_run.schedule_name is 'The schedule, as it was named then.';
comment on column dba.recent_run.state is 'running, succeeded, failed, cancelled, skipped or missed.';
comment on column dba.recent_run.duration is 'From the beginning of its first attempt to its end, or until now.';
comment on column dba.recent_run.rows is 'Rows written to the target.';
comment on column dba.recent_run.message is 'Its outcome in one line: the error, the job''s note, or why it was skipped or missed.';
comment on column dba.recent_run.error_code is 'Stable word for the error.';
comment on column dba.recent_run.error_detail is 'What was seen.';
comment on column dba.recent_run.error_hint is 'What to do.';
comment on column dba.recent_run.attempt is 'Attempts it took.';
comment on column dba.recent_run.trigger is 'Why it fired: cron, request, file, notify, after, catch_up, always, api.';
comment on column dba.recent_run.job is 'Kind of work.';
comment on column dba.recent_run.config_name is 'Row of the job''s settings table.';
comment on column dba.recent_run.args is 'Overrides it ran with.';
comment on column dba.recent_run.local_time is 'The nominal fire in the zone of the schedule.';
comment on column dba.recent_run.scheduled_for is 'The nominal fire.';
comment on column dba.recent_run.started_at is 'When its first attempt began.';
comment on column dba.recent_run.finished_at is 'When it ended.';
comment on column dba.recent_run.rows_read is 'Rows read from the source.';
comment on column dba.recent_run.rows_rejected is 'Rows refused; they stand in dba.reject.';
comment on column dba.recent_run.files is 'Files it dealt with.';
comment on column dba.recent_run.progress is 'From 0 to 1 while it is running.';
comment on column dba.recent_run.worker is 'The worker that has it, or had it last.';
comment on column dba.recent_run.requested_by is 'Who asked for it, skipped it or cancelled it.';
comment on column dba.recent_run.requested_reason is 'Why, as that person said.';
comment on column dba.recent_run.rerun_of is 'The run it repeats.';
comment on column dba.recent_run.run_id is 'The run: repeat it with select dba.rerun(run_id).';

create view dba.run_log as
  select
    l.logged_at,
    r.schedule_name,
    l.level,
    l.step,
    l.message,
    l.data,
    l.step_seconds,
    l.total_seconds,
    l.attempt,
    r.state as run_state,
    l.run_id,
    l.log_id
  from dba.logentry l
  left join dba.run r on r.run_id = l.run_id
  order by l.logged_at desc, l.log_id desc;
comment on view dba.run_log is 'What runs said, newest first. One run from its beginning: select * from dba.run_log where run_id = … order by log_id.';
comment on column dba.run_log.logged_at is 'When it was said.';
comment on column dba.run_log.schedule_name is 'The schedule; null: the worker itself speaks, or the run is gone.';
comment on column dba.run_log.level is 'debug, info, warning or error.';
comment on column dba.run_log.step is 'Step of the job: the file, the page, the statement.';
comment on column dba.run_log.message is 'What happened.';
comment on column dba.run_log.data is 'Facts to it, a JSON object.';
comment on column dba.run_log.step_seconds is 'Seconds since the line before it.';
comment on column dba.run_log.total_seconds is 'Seconds since the attempt began.';
comment on column dba.run_log.attempt is 'The attempt.';
comment on column dba.run_log.run_state is 'How the run stands now.';
comment on column dba.run_log.run_id is 'The run.';
comment on column dba.run_log.log_id is 'Order of writing.';

-- dba.scheduler: one row, one schedule. And dba.plan: how far each has been planned.

create function dba.default_time_zone()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$ select coalesce((select value from dba.setting where name = 'time_zone'), 'UTC') $$;
comment on function dba.default_time_zone() is 'The zone of a schedule that names none: dba.setting.time_zone.';

create table dba.scheduler (
  schedule_id      bigint       generated always as identity primary key,
  schedule_name    text         not null,
  job              text         not null references dba.job (job) on update cascade on delete restrict,
  config_name      text,
  args             jsonb        not null default '{}',
  cron             text,
  time_zone        text         not null default dba.default_time_zone(),
  dst_gap          text         not null default 'shift',
  dst_fold         text         not null default 'first',
  calendar         text         references dba.calendar (calendar) on update cascade on delete restrict,
  on_holiday       text         not null default 'skip',
  on_file          text,
  on_notify        text,
  run_after        text[],
  run_after_state  text         not null default 'succeeded',
  is_active        boolean      not null default true,
  paused_until     timestamptz,
  pause_reason     text,
  overlap          text         not null default 'skip',
  resource         text,
  catch_up         text         not null default 'last',
  max_late         interval     not null default '1 day',
  max_catch_up     integer      not null default 24,
  max_attempts     integer      not null default 3,
  retry_delay      interval     not null default '1 minute',
  retry_backoff    numeric      not null default 2,
  timeout          interval     not null default '1 hour',
  priority         integer      not null default 0,
  lane             text         not null default 'default' references dba.lane (lane) on update cascade on delete restrict,
  due_by           time[],
  alert_on         text[]       not null default '{failed,missed,recovered}',
  alert_to         text[],
  owner            text,
  description      text,
  next_fire_at     timestamptz,
  next_fires       text[],
  explained        text,
  config_state     text         not null default 'unchecked',
  config_message   text,
  paused_by        text,
  generated_by     text,
  created_at       timestamptz  not null default clock_timestamp(),
  created_by       text         not null default session_user,
  updated_at       timestamptz  not null default clock_timestamp(),
  updated_by       text         not null default session_user,
  version          integer      not null default 1,
  constraint a_schedule_name_stands_for_one_schedule unique (schedule_name),
  constraint config_stands_in_the_registry foreign key (job, config_name) references dba.jobconfig (job, config_name) on update cascade on delete restrict,
  constraint schedule_name_is_not_blank check (schedule_name = btrim(schedule_name) and schedule_name <> '' and length(schedule_name) <= 200),
  constraint args_is_an_object check (jsonb_typeof(args) = 'object'),
  constraint dst_gap_is_shift_or_skip check (dst_gap in ('shift', 'skip')),
  constraint dst_fold_is_first_last_or_both check (dst_fold in ('first', 'last', 'both')),
  constraint on_holiday_is_skip_run_previous_or_next check (on_holiday in ('skip', 'run', 'previous', 'next')),
  constraint run_after_names_at_least_one_schedule check (cardinality(run_after) >= 1),
  constraint run_after_state_is_succeeded_failed_or_finished check (run_after_state in ('succeeded', 'failed', 'finished')),
  constraint overlap_is_skip_queue_cancel_or_allow check (overlap in ('skip', 'queue', 'cancel', 'allow')),
  constraint resource_is_not_blank check (btrim(resource) <> ''),
  constraint catch_up_is_last_skip_or_all check (catch_up in ('last', 'skip', 'all')),
  constraint max_late_is_not_negative check (max_late >= '0'),
  constraint max_catch_up_is_between_0_and_1000 check (max_catch_up between 0 and 1000),
  constraint max_attempts_is_between_1_and_100 check (max_attempts between 1 and 100),
  constraint retry_delay_is_between_0_and_a_day check (retry_delay between '0' and '1 day'),
  constraint retry_backoff_is_between_1_and_10 check (retry_backoff between 1 and 10),
  constraint timeout_is_between_a_second_and_a_day check (timeout >= '1 second' and timeout < '24 hours'),
  constraint alert_on_holds_known_words check (alert_on <@ '{failed,missed,recovered,late,slow,small,empty}'),
  constraint config_state_is_ok_invalid_or_unchecked check (config_state in ('ok', 'invalid', 'unchecked')),
  constraint on_notify_is_a_channel_name check (on_notify ~ '^[a-z_][a-z0-9_]{0,62}$' and on_notify !~ '^rota')
) with (fillfactor = 70);

comment on table dba.scheduler is 'One row, one schedule: this job, with that config, at these times, under these rules. insert … returning next_fires answers at once; explained and config_state follow within a second.';
comment on column dba.scheduler.schedule_id is 'Number of the schedule; given by Postgres.';
comment on column dba.scheduler.schedule_name is 'Its name, unique; a rename takes every reference along.';
comment on column dba.scheduler.job is 'Kind of work: a row of dba.job.';
comment on column dba.scheduler.config_name is 'Row of the job''s settings table (dba.<job>config); null for a job that needs none.';
comment on column dba.scheduler.args is 'Overrides for this schedule, a JSON object: keys are columns of the settings table, or what dba.job.args_allowed lists.';
comment on column dba.scheduler.cron is 'Five fields (minute hour day month weekday), or six with seconds first: 20 6 * * MON-FRI. Also @hourly @daily @weekly @monthly, @every 90s, @always. Try one: select dba.check_cron(''20 6 * * *'').';
comment on column dba.scheduler.time_zone is 'IANA name the cron is read in, a row of dba.timezone. Default: dba.setting.time_zone.';
comment on column dba.scheduler.dst_gap is 'A fixed hour that does not exist when clocks go forward: shift (default, an hour later) or skip.';
comment on column dba.scheduler.dst_fold is 'A fixed hour that exists twice when clocks go back: first (default), last or both.';
comment on column dba.scheduler.calendar is 'Working days it keeps to: a row of dba.calendar. Null: every day.';
comment on column dba.scheduler.on_holiday is 'What a fire on a free day does: skip (default), run, previous (the working day before) or next.';
comment on column dba.scheduler.on_file is 'Glob to wait for: inbox/prices/*.xlsx. One run per file, once it has stopped changing. Relative paths begin in the data folder.';
comment on column dba.scheduler.on_notify is 'Channel: each NOTIFY channel, ''payload'' makes one run with that payload in its args.';
comment on column dba.scheduler.run_after is 'Names of schedules: runs when all of them have ended (run_after_state) since its own last run.';
comment on column dba.scheduler.run_after_state is 'succeeded (default), failed or finished (either).';
comment on column dba.scheduler.is_active is 'False: it does not fire; requests still run.';
comment on column dba.scheduler.paused_until is 'Until then fires are skipped with the reason, never caught up; infinity: until somebody resumes it.';
comment on column dba.scheduler.pause_reason is 'Why it is paused; stands in every skipped run.';
comment on column dba.scheduler.overlap is 'What a fire does when the previous run is still open: skip (default), queue, cancel (the old one) or allow. Files, notifications, ends of upstreams and requests are never skipped: they wait.';
comment on column dba.scheduler.resource is 'Runs that name the same resource never overlap, whatever their schedule: erp_database.';
comment on column dba.scheduler.catch_up is 'Which fires missed in an outage still run: last (default), skip (none) or all.';
comment on column dba.scheduler.max_late is 'A missed fire older than this is not caught up.';
comment on column dba.scheduler.max_catch_up is 'At most so many missed fires are caught up; older ones become one row.';
comment on column dba.scheduler.max_attempts is 'Tries of one run, the first included. An error that a retry cannot mend ends the run at once.';
comment on column dba.scheduler.retry_delay is 'Wait before the second attempt.';
comment on column dba.scheduler.retry_backoff is 'Each further wait is this many times longer.';
comment on column dba.scheduler.timeout is 'Limit of one attempt; then it is ended with the code timed_out.';
comment on column dba.scheduler.priority is 'Higher starts first when workers are busy.';
comment on column dba.scheduler.lane is 'Stream of work, a row of dba.lane: decides which workers may run it.';
comment on column dba.scheduler.due_by is 'Local times by which a run that moved something must have succeeded: {09:00}.';
comment on column dba.scheduler.alert_on is 'When somebody is told: failed (for good), missed, slow and small (against what is usual on that weekday), empty (it brought nothing), recovered (that is over). Of what is late somebody is told in any case: due_by asks for it.';
comment on column dba.scheduler.alert_to is 'Who is told: mail addresses and connections of kind webhook. Null: the owner where that is an address, else dba.setting.alert_to.';
comment on column dba.scheduler.owner is 'Who answers for it.';
comment on column dba.scheduler.description is 'What it is for.';
comment on column dba.scheduler.next_fire_at is 'Next fire. Answered by Rota.';
comment on column dba.scheduler.next_fires is 'The next five fires in local time. Answered by Rota at the write.';
comment on column dba.scheduler.explained is 'The row in words. Answered by a worker within a second.';
comment on column dba.scheduler.config_state is 'ok, invalid, or unchecked until a worker has looked. Answered by Rota.';
comment on column dba.scheduler.config_message is 'What the worker found: "3 files match now", or what is missing and the SQL that mends it. Answered by Rota.';
comment on column dba.scheduler.paused_by is 'Who set paused_until. Kept by Rota.';
comment on column dba.scheduler.generated_by is 'Set when another row made this one (a report''s cron): change it there.';
comment on constraint a_schedule_name_stands_for_one_schedule on dba.scheduler is 'Choose another name, or UPDATE the schedule that has it.';
comment on constraint config_stands_in_the_registry on dba.scheduler is 'Insert the config into the job''s settings table first.';
comment on constraint scheduler_job_fkey on dba.scheduler is 'The kinds of work there are stand in dba.job.';
comment on constraint scheduler_calendar_fkey on dba.scheduler is 'The calendars there are stand in dba.calendar.';
comment on constraint scheduler_lane_fkey on dba.scheduler is 'The lanes there are stand in dba.lane.';
comment on constraint schedule_name_is_not_blank on dba.scheduler is 'Give it a name of 1 to 200 characters without blanks at its ends.';
comment on constraint args_is_an_object on dba.scheduler is 'Write a JSON object: {"header_row": 3}.';
comment on constraint dst_gap_is_shift_or_skip on dba.scheduler is 'Write shift or skip.';
comment on constraint dst_fold_is_first_last_or_both on dba.scheduler is 'Write first, last or both.';
comment on constraint on_holiday_is_skip_run_previous_or_next on dba.scheduler is 'Write skip, run, previous or next.';
comment on constraint run_after_names_at_least_one_schedule on dba.scheduler is 'Write the names of schedules: {"load prices"}; or null when it waits for none.';
comment on constraint run_after_state_is_succeeded_failed_or_finished on dba.scheduler is 'Write succeeded, failed or finished.';
comment on constraint overlap_is_skip_queue_cancel_or_allow on dba.scheduler is 'Write skip, queue, cancel or allow.';
comment on constraint resource_is_not_blank on dba.scheduler is 'Name the thing that must not be used twice at once, or leave it null.';
comment on constraint catch_up_is_last_skip_or_all on dba.scheduler is 'Write last, skip or all.';
comment on constraint max_late_is_not_negative on dba.scheduler is 'Write an interval: 1 day, 90 minutes.';
comment on constraint max_catch_up_is_between_0_and_1000 on dba.scheduler is 'Write 0 to 1000; older missed fires become one row.';
comment on constraint max_attempts_is_between_1_and_100 on dba.scheduler is 'Write 1 for no retry, 3 for two retries; at most 100.';
comment on constraint retry_delay_is_between_0_and_a_day on dba.scheduler is 'Write an interval: 30 seconds, 5 minutes; at most 1 day.';
comment on constraint retry_backoff_is_between_1_and_10 on dba.scheduler is 'Write 1 for equal waits, 2 to double them; at most 10.';
comment on constraint timeout_is_between_a_second_and_a_day on dba.scheduler is 'Write an interval from 1 second to below 24 hours. A job without end is scheduled with cron = ''@always''.';
comment on constraint alert_on_holds_known_words on dba.scheduler is 'Write any of: failed, missed, recovered, late, slow, small, empty.';
comment on constraint config_state_is_ok_invalid_or_unchecked on dba.scheduler is 'Answered by Rota.';
comment on constraint on_notify_is_a_channel_name on dba.scheduler is 'Write lower case letters, digits and underscores; names that begin with rota are Rota''s own.';

create index scheduler_by_config on dba.scheduler (job, config_name);
create index scheduler_by_run_after on dba.scheduler (schedule_id) where run_after is not null;
create index scheduler_by_upstream on dba.scheduler using gin (run_after) where run_after is not null;
create index scheduler_by_always on dba.scheduler (schedule_id) where lower(cron) = '@always';
create index scheduler_by_on_file on dba.scheduler (schedule_id) where on_file is not null;
create index scheduler_by_on_notify on dba.scheduler (schedule_id) where on_notify is not null;

create table dba.plan (
  schedule_id              bigint       primary key,
  planned_version          integer,
  planned_calendar_version integer,
  planned_through          timestamptz  not null default clock_timestamp(),
  refill_at                timestamptz,
  waits_since              timestamptz  not null default clock_timestamp(),
  answered_version         integer,
  answered_config_version  integer,
  answered_at              timestamptz
) with (fillfactor = 70);
comment on table dba.plan is 'Where the planner stands, one row per schedule, apart from the row that people hold open. Written by workers only.';
comment on column dba.plan.schedule_id is 'The schedule. No foreign key, so that an edit that somebody holds open never holds up the planner; the row goes after the schedule.';
comment on column dba.plan.planned_version is 'Version of the schedule that its planned runs follow; another one: it is planned anew.';
comment on column dba.plan.planned_calendar_version is 'Version of its calendar that its planned runs follow.';
comment on column dba.plan.planned_through is 'Every fire up to here has its row in dba.run; what lies behind it is still owed.';
comment on column dba.plan.refill_at is 'When the next fires have to be planned; null: nothing to plan.';
comment on column dba.plan.waits_since is 'Ends of upstream schedules before this moment do not count for run_after.';
comment on column dba.plan.answered_version is 'Version of the schedule that explained and config_state speak of.';
comment on column dba.plan.answered_config_version is 'Version of the config that config_state speaks of.';
comment on column dba.plan.answered_at is 'When a worker last looked.';
create index plan_by_refill on dba.plan (refill_at) where refill_at is not null;

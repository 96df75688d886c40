-- dba.run: the ledger of every run, past and future; its attempts, its log, and the workers.

create table dba.run (
  run_id            uuid              primary key default gen_random_uuid(),
  schedule_id       bigint            not null,
  schedule_name     text              not null,
  job               text              not null,
  config_name       text,
  config_version    integer,
  args              jsonb             not null default '{}',
  trigger           text              not null default 'request',
  fire_key          text              not null,
  scheduled_for     timestamptz       not null default clock_timestamp(),
  due_at            timestamptz       not null,
  local_time        text,
  state             text              not null default 'planned',
  reason            text,
  waits_for         text,
  attempt           integer           not null default 0,
  max_attempts      integer,
  retry_delay       interval,
  retry_backoff     numeric,
  timeout           interval,
  overlap           text,
  lane              text,
  priority          integer,
  resource          text,
  queued_at         timestamptz,
  started_at        timestamptz,
  finished_at       timestamptz,
  heartbeat_at      timestamptz,
  worker            text,
  progress          real,
  progress_note     text,
  rows_read         bigint,
  rows_written      bigint,
  rows_rejected     bigint,
  bytes_read        bigint,
  files             integer,
  note              text,
  result            jsonb,
  error_code        text,
  error_message     text,
  error_detail      text,
  error_hint        text,
  caused_by         uuid,
  rerun_of          uuid,
  upstream          jsonb,
  missed_from       timestamptz,
  missed_until      timestamptz,
  missed_count      bigint,
  cancel_requested  boolean           not null default false,
  requested_by      text,
  requested_reason  text,
  constraint a_fire_runs_once unique (schedule_id, fire_key),
  constraint trigger_is_a_known_word check (trigger in ('cron', 'request', 'file', 'notify', 'after', 'catch_up', 'always', 'api')),
  constraint state_is_a_known_word check (state in ('planned', 'waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped', 'missed')),
  constraint run_args_is_an_object check (jsonb_typeof(args) = 'object'),
  constraint waits_for_is_a_known_word check (waits_for in ('lane', 'run', 'resource', 'job', 'data', 'retry')),
  constraint progress_is_between_0_and_1 check (progress between 0 and 1),
  constraint a_failed_run_says_why check (state <> 'failed' or error_code is not null and error_message is not null),
  constraint a_run_that_did_not_start_says_why check (state not in ('skipped', 'missed', 'waiting') or reason is not null),
  constraint an_ended_run_has_its_end check (state not in ('succeeded', 'failed', 'cancelled') or finished_at is not null)
) with (fillfactor = 70);

comment on table dba.run is 'The ledger of every run, past and future. insert into dba.run (schedule_name) values (''…'') runs it now; with a future scheduled_for it is a one-off; set cancel_requested to stop one.';
comment on column dba.run.run_id is 'Key of the run; stands in every log line.';
comment on column dba.run.schedule_id is 'The schedule. History stays readable when the schedule is gone.';
comment on column dba.run.schedule_name is 'Name of the schedule as it was.';
comment on column dba.run.job is 'Kind of work.';
comment on column dba.run.config_name is 'Row of the settings table as it was named.';
comment on column dba.run.config_version is 'Version of the config that the run was queued with; what it was stands in dba.configversion.';
comment on column dba.run.args is 'Overrides in force; Rota adds file, payload, as_of.';
comment on column dba.run.trigger is 'Why it fires: cron, request, file, notify, after, catch_up, always, api.';
comment on column dba.run.fire_key is 'Identity of the fire: the nominal instant, the file, the upstream runs, a uuid for a request. Unique per schedule, so a fire runs once.';
comment on column dba.run.scheduled_for is 'The nominal fire.';
comment on column dba.run.due_at is 'When it may start: moved by a holiday, a retry, a hold.';
comment on column dba.run.local_time is 'The fire as a person reads it, in the schedule''s zone.';
comment on column dba.run.state is 'planned, waiting (reason says for what), queued, running, then succeeded, failed or cancelled; or skipped or missed, which never started.';
comment on column dba.run.reason is 'In words: why it waits, was skipped or missed, or runs although it is late.';
comment on column dba.run.waits_for is 'While it waits: lane (paused), run (another of its schedule), resource, job (max_running), data (what it stands on is not fresh) or retry.';
comment on column dba.run.attempt is 'Attempts begun so far.';
comment on column dba.run.max_attempts is 'Attempts at most; frozen when it was queued.';
comment on column dba.run.retry_delay is 'Wait before the second attempt; frozen when it was queued.';
comment on column dba.run.retry_backoff is 'Each further wait is so many times longer; frozen when it was queued.';
comment on column dba.run.timeout is 'Limit of one attempt; frozen when it was queued. Null for @always.';
comment on column dba.run.overlap is 'Rule towards other runs of the schedule; frozen when it was queued.';
comment on column dba.run.lane is 'Stream of work; frozen when it was queued.';
comment on column dba.run.priority is 'Higher starts first; frozen when it was queued.';
comment on column dba.run.resource is 'What it holds alone while it is open; frozen when it was queued.';
comment on column dba.run.queued_at is 'When it was handed to the queue.';
comment on column dba.run.started_at is 'When its first attempt began.';
comment on column dba.run.finished_at is 'When it ended.';
comment on column dba.run.heartbeat_at is 'Last sign of life of its worker.';
comment on column dba.run.worker is 'The worker that has it, or had it last.';
comment on column dba.run.progress is 'From 0 to 1, at most once a second.';
comment on column dba.run.progress_note is 'What it is doing.';
comment on column dba.run.rows_read is 'Rows read from the source.';
comment on column dba.run.rows_written is 'Rows written to the target.';
comment on column dba.run.rows_rejected is 'Rows refused, kept in dba.reject.';
comment on column dba.run.bytes_read is 'Bytes read from the source.';
comment on column dba.run.files is 'Files it dealt with.';
comment on column dba.run.note is 'Its outcome in a sentence.';
comment on column dba.run.result is 'Further facts of the job, a JSON object.';
comment on column dba.run.error_code is 'Stable word for the last attempt''s error.';
comment on column dba.run.error_message is 'The last attempt''s error in one clause.';
comment on column dba.run.error_detail is 'What was seen.';
comment on column dba.run.error_hint is 'What to do.';
comment on column dba.run.caused_by is 'The run before it in a chain.';
comment on column dba.run.rerun_of is 'The run it repeats.';
comment on column dba.run.upstream is 'For run_after: per upstream schedule_id the run that was used and its end.';
comment on column dba.run.missed_from is 'First fire of a long outage that this one row stands for.';
comment on column dba.run.missed_until is 'Last fire of it.';
comment on column dba.run.missed_count is 'How many fires it stands for.';
comment on column dba.run.cancel_requested is 'Set it to true to stop the run; ends its retries too.';
comment on column dba.run.requested_by is 'Who asked for it, skipped it or cancelled it.';
comment on column dba.run.requested_reason is 'Why, as that person said.';
comment on constraint a_fire_runs_once on dba.run is 'That fire stands in the ledger already; look at it in dba.run.';
comment on constraint trigger_is_a_known_word on dba.run is 'Set by Rota.';
comment on constraint state_is_a_known_word on dba.run is 'People insert planned (the default) or, for a fire that shall not run, skipped.';
comment on constraint run_args_is_an_object on dba.run is 'Write a JSON object: {"header_row": 3}.';
comment on constraint waits_for_is_a_known_word on dba.run is 'Set by Rota.';
comment on constraint progress_is_between_0_and_1 on dba.run is 'Set by the job.';
comment on constraint a_failed_run_says_why on dba.run is 'Set by Rota.';
comment on constraint a_run_that_did_not_start_says_why on dba.run is 'Say why in reason.';
comment on constraint an_ended_run_has_its_end on dba.run is 'Set by Rota.';

create unique index one_run_of_a_schedule_at_a_time on dba.run (schedule_id)
  where (state in ('queued', 'running') or state = 'waiting' and attempt > 0) and overlap <> 'allow';
create unique index one_run_holds_a_resource_at_a_time on dba.run (resource)
  where (state in ('queued', 'running') or state = 'waiting' and attempt > 0) and resource is not null;
comment on index dba.one_run_of_a_schedule_at_a_time is 'Law: per schedule that does not allow overlap, one run is queued, running or between attempts.';
comment on index dba.one_run_holds_a_resource_at_a_time is 'Law: per resource, one run is queued, running or between attempts.';
create index run_by_due on dba.run (due_at) where state = 'planned' or state = 'waiting' and attempt > 0;
create index run_by_wait on dba.run (schedule_id, due_at) where state = 'waiting' and attempt = 0;
create index run_by_always on dba.run (schedule_id) where trigger = 'always' and state in ('planned', 'waiting', 'queued', 'running');
create index run_by_skip on dba.run (due_at) where state = 'skipped' and finished_at is null;
create index run_by_queue on dba.run (queued_at) where state = 'queued';
create index run_by_worker on dba.run (worker) where state = 'running';
create index run_by_open on dba.run (schedule_id, due_at) where state in ('planned', 'waiting', 'queued', 'running') or state = 'skipped' and finished_at is null;
create index run_by_schedule on dba.run (schedule_id, scheduled_for desc);
create index run_by_scheduled_for on dba.run (scheduled_for desc);
create index run_by_end on dba.run (schedule_id, finished_at desc) where state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed');
create index run_by_success on dba.run (schedule_id, finished_at desc) where state = 'succeeded';
create index run_by_failure on dba.run (schedule_id, finished_at desc) where state = 'failed';
create index run_by_rerun on dba.run (rerun_of) where rerun_of is not null;
-- What dba.recent_run shows, newest first: of all schedules, and of one.
create index run_by_time on dba.run ((coalesce(started_at, finished_at, due_at)) desc)
  where state in ('running', 'succeeded', 'failed', 'cancelled', 'skipped', 'missed');
create index run_by_name on dba.run (schedule_name, (coalesce(started_at, finished_at, due_at)) desc)
  where state in ('running', 'succeeded', 'failed', 'cancelled', 'skipped', 'missed');

create table dba.attempt (
  run_id         uuid         not null references dba.run (run_id) on delete cascade,
  attempt        integer      not null,
  worker         text         not null,
  started_at     timestamptz  not null default clock_timestamp(),
  finished_at    timestamptz,
  outcome        text,
  error_code     text,
  error_message  text,
  error_detail   text,
  error_hint     text,
  advanced_at    timestamptz,
  primary key (run_id, attempt),
  constraint outcome_is_a_known_word check (outcome in ('succeeded', 'failed', 'cancelled', 'lost', 'handed_back'))
);
comment on table dba.attempt is 'One row per try of a run; a retry erases no evidence.';
comment on column dba.attempt.run_id is 'The run.';
comment on column dba.attempt.attempt is 'Counted from 1.';
comment on column dba.attempt.worker is 'The worker that made it.';
comment on column dba.attempt.started_at is 'When it began.';
comment on column dba.attempt.finished_at is 'When it ended; null while it goes on.';
comment on column dba.attempt.outcome is 'succeeded, failed, cancelled, lost (its worker died) or handed_back (its worker was stopped); null while it goes on.';
comment on column dba.attempt.error_code is 'Stable word for its error; worker_lost when its worker died.';
comment on column dba.attempt.error_message is 'Its error in one clause.';
comment on column dba.attempt.error_detail is 'What was seen.';
comment on column dba.attempt.error_hint is 'What to do.';
comment on column dba.attempt.advanced_at is 'When it last stored something that a later attempt need not do again; null: never, or its job begins anew each time. An attempt that got ahead and then ran out of time or lost its worker does not count against max_attempts.';
comment on constraint outcome_is_a_known_word on dba.attempt is 'Set by Rota.';
comment on constraint attempt_run_id_fkey on dba.attempt is 'Goes with its run.';

create table dba.logentry (
  log_id         bigint       generated always as identity,
  logged_at      timestamptz  not null default clock_timestamp(),
  run_id         uuid,
  attempt        integer,
  level          text         not null default 'info',
  step           text,
  message        text         not null,
  data           jsonb,
  step_seconds   real,
  total_seconds  real,
  primary key (logged_at, log_id),
  constraint level_is_debug_info_warning_or_error check (level in ('debug', 'info', 'warning', 'error'))
) partition by range (logged_at);
comment on table dba.logentry is 'What jobs and workers say, one row a line, in partitions by month. Read dba.run_log for one run. The same lines stand in the log file.';
comment on column dba.logentry.log_id is 'Order of writing.';
comment on column dba.logentry.logged_at is 'When it was said.';
comment on column dba.logentry.run_id is 'The run it belongs to; null: the worker itself.';
comment on column dba.logentry.attempt is 'The attempt.';
comment on column dba.logentry.level is 'debug, info, warning or error.';
comment on column dba.logentry.step is 'Step of the job: the file, the page, the statement.';
comment on column dba.logentry.message is 'What happened.';
comment on column dba.logentry.data is 'Facts to it, a JSON object.';
comment on column dba.logentry.step_seconds is 'Seconds since the line before it.';
comment on column dba.logentry.total_seconds is 'Seconds since the attempt began.';
comment on constraint level_is_debug_info_warning_or_error on dba.logentry is 'Write debug, info, warning or error.';
create index logentry_by_run on dba.logentry (run_id, log_id);

create function dba.make_log_partitions(months_ahead integer default 2)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  first_day date;
  partition_name text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('dba.make_log_partitions'));
  for ahead in 0 .. months_ahead loop
    first_day := (date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead))::date;
    partition_name := format('logentry_%s', to_char(first_day, 'YYYY_MM'));
    if to_regclass('dba.' || partition_name) is null then
      execute format('create table dba.%I partition of dba.logentry for values from (%L) to (%L)',
        partition_name, first_day::text || ' 00:00+00', (first_day + interval '1 month')::date::text || ' 00:00+00');
      execute format('comment on table dba.%I is %L', partition_name, format('Log lines of %s.', to_char(first_day, 'YYYY-MM')));
      made := made + 1;
    end if;
  end loop;
  return made;
end
$$;
comment on function dba.make_log_partitions(integer) is 'Makes the partitions of dba.logentry for this month and the next ones; workers call it daily. Returns how many it made.';
select dba.make_log_partitions();

create table dba.worker (
  worker        text         primary key,
  host          text         not null,
  pid           integer      not null,
  version       text         not null,
  lanes         text[]       not null,
  started_at    timestamptz  not null default clock_timestamp(),
  heartbeat_at  timestamptz  not null default clock_timestamp(),
  stopped_at    timestamptz,
  state         text         not null default 'running',
  machine       text,
  message       text,
  constraint worker_state_is_a_known_word check (state in ('running', 'draining', 'stopped', 'lost', 'outdated', 'still'))
) with (fillfactor = 50);
comment on table dba.worker is 'One row per worker process; the dead stay 30 days (dba.setting.retention_worker).';
comment on column dba.worker.worker is 'Its name: host, pid and a random suffix.';
comment on column dba.worker.host is 'Machine it runs on.';
comment on column dba.worker.pid is 'Process number there.';
comment on column dba.worker.version is 'Version of Rota it runs.';
comment on column dba.worker.lanes is 'Lanes it takes work from (ROTA_LANES).';
comment on column dba.worker.started_at is 'When it started.';
comment on column dba.worker.heartbeat_at is 'Last sign of life, every few seconds.';
comment on column dba.worker.stopped_at is 'When it stopped, or was found dead.';
comment on column dba.worker.state is 'running, draining (stopping, takes no more runs), stopped, lost (no sign of life), outdated (older than the schema: takes no runs), still (this database is a copy: takes no runs).';
comment on column dba.worker.machine is 'Names one boot of one machine (or container): there its neighbours can see at once whether its process lives.';
comment on column dba.worker.message is 'What it has to say about its state.';
comment on constraint worker_state_is_a_known_word on dba.worker is 'Set by Rota.';

-- What is wrong now. Each branch below is one kind of trouble; a row says what it is about, since when, and the SQL that mends it.

create function dba.tells_nobody(schedule dba.scheduler, standard text)
returns boolean
language sql
immutable
as $$ select standard is null and coalesce(cardinality(schedule.alert_to), 0) = 0 and not coalesce(dba.is_mail_address(schedule.owner), false) $$;
comment on function dba.tells_nobody(dba.scheduler, text) is 'Whether alerts of a schedule reach nobody, given what dba.setting.alert_to says.';

-- Replaced where outgoing mail comes in.
create function dba.outbox_problem()
returns table (severity text, subject text, since timestamptz, message text, fix text)
language sql
stable
as $$ select null, null, null::timestamptz, null, null where false $$;
comment on function dba.outbox_problem() is 'What is wrong with outgoing mail, for dba.problem.';

-- Replaced where alerts come in.
create function dba.alert_problem()
returns table (severity text, subject text, since timestamptz, message text, fix text)
language sql
stable
as $$ select null, null, null::timestamptz, null, null where false $$;
comment on function dba.alert_problem() is 'Incidents that stand in no other table, and of which nobody could be told, for dba.problem.';

create function dba.mail_problems()
returns table (severity text, subject text, since timestamptz, message text, fix text)
language sql
stable
as $$ select null::text, null::text, null::timestamptz, null::text, null::text where false $$;
comment on function dba.mail_problems() is 'What is wrong with mails, as rows of dba.problem; job inbox says it.';

create view dba.problem as
  with clock as materialized (
    select statement_timestamp() as at, dba.is_home() as is_home
  ), quiet_lane as materialized (
    select l.lane from dba.lane l where not dba.lane_is_alive(l.lane)
  ), standing as materialized (
    -- How each schedule's latest failure, miss and success stand to each other.
    select
      s.schedule_id, s.schedule_name, s.lane, s.is_active, s.generated_by is not null and num_nonnulls(s.cron, s.on_file, s.on_notify, s.run_after) = 0 as is_on_request,
      failure.run_id as failed_run, failure.finished_at as failed_at, failure.error_code, failure.error_message, failure.error_hint,
      success.finished_at as succeeded_at
    from dba.scheduler s
    left join lateral (
      select r.run_id, r.finished_at, r.error_code, r.error_message, r.error_hint
      from dba.run r where r.schedule_id = s.schedule_id and r.state = 'failed' order by r.finished_at desc limit 1
    ) failure on true
    left join lateral (
      select r.finished_at
      from dba.run r where r.schedule_id = s.schedule_id and r.state = 'succeeded' order by r.finished_at desc limit 1
    ) success on true
  ), found (severity, subject, since, message, fix) as (
    -- On a schedule for requests there is only what people asked for, and they were told.
    select case when st.is_on_request then 'warning' else 'severe' end, st.schedule_name, st.failed_at,
      format('its latest run failed: %s (%s)', st.error_message, st.error_code) || coalesce('. ' || st.error_hint, ''),
      format('select dba.rerun(%L);', st.failed_run)
    from standing st
    where st.failed_at > coalesce(st.succeeded_at, '-infinity')

    union all
    select 'severe', r.schedule_name, min(r.due_at),
      format('%s due for %s and not taken', case count(*) when 1 then 'a fire has been' else format('%s fires have been', count(*)) end,
        dba.span_words(min(c.at) - min(r.due_at))),
      format('select dba.why_not(%L);', r.schedule_name)
    from clock c, dba.run r
    join dba.scheduler s on s.schedule_id = r.schedule_id
    where r.state = 'planned' and r.due_at < c.at - interval '1 minute' and c.is_home
      and s.lane not in (select q.lane from quiet_lane q)
    group by r.schedule_name

    union all
    select 'severe', r.lane, min(r.queued_at),
      format('%s handed out for more than a minute and not begun: its workers are busy; the first is of "%s"',
        case count(*) when 1 then 'a run has been' else format('%s runs have been', count(*)) end,
        (array_agg(r.schedule_name order by r.queued_at))[1]),
      'Start another worker for this lane, or raise ROTA_CONCURRENCY. select * from dba.next_run where state = ''queued'';'
    from clock c, dba.run r
    where r.state = 'queued' and r.queued_at < c.at - interval '1 minute' and c.is_home
      and r.lane not in (select q.lane from quiet_lane q)
    group by r.lane

    union all
    select 'severe', q.lane, coalesce((select max(w.heartbeat_at) from dba.worker w where q.lane = any (w.lanes)), min(s.created_at)),
      format('no live worker takes part in this lane, and %s', case count(*) when 1 then format('schedule "%s" needs one', min(s.schedule_name)) else format('%s active schedules need one', count(*)) end),
      format('Start one: ROTA_LANES=%s npx rota worker. Or: update dba.scheduler set lane = ''…'' where lane = %L;', q.lane, q.lane)
    from clock c, quiet_lane q
    join dba.scheduler s on s.lane = q.lane and s.is_active
    where c.is_home
    group by q.lane

    union all
    select 'severe', 'this database', (select t.updated_at from dba.setting t where t.name = 'is_live'),
      case when (select t.value = 'true' from dba.setting t where t.name = 'is_live')
        then 'it is a restored copy, so nothing fires here' else 'dba.setting.is_live is false, so nothing fires here' end,
      'If this shall be the live one: update dba.setting set value = ''true'' where name = ''is_live'';'
    from clock c
    where not c.is_home

    union all
    select 'warning', s.schedule_name, s.updated_at,
      coalesce(s.config_message, 'what it shall do is not right'),
      format('select config_message from dba.scheduler where schedule_name = %L;', s.schedule_name)
    from dba.scheduler s
    where s.config_state = 'invalid' and s.is_active

    union all
    select 'warning', s.schedule_name, missed.due_at,
      format('its latest fire was missed: %s', missed.reason),
      format('select * from dba.backfill(%L, %L);', s.schedule_name, to_char(coalesce(missed.missed_from, missed.scheduled_for) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'))
    from dba.scheduler s
    cross join lateral (
      select r.state, r.due_at, r.reason, r.scheduled_for, r.missed_from
      from dba.run r
      where r.schedule_id = s.schedule_id and r.scheduled_for <= statement_timestamp()
        and r.state in ('succeeded', 'failed', 'cancelled', 'running', 'missed')
      order by r.scheduled_for desc
      limit 1
    ) missed
    where missed.state = 'missed' and s.is_active

    union all
    select 'warning', coalesce(f.config_name, f.file_name), min(f.updated_at),
      format('%s: %s, the latest "%s"', case f.state when 'failed' then 'files that could not be loaded' else 'files held back' end, count(*),
        (array_agg(f.file_name order by f.updated_at desc))[1])
      || coalesce(': ' || (array_agg(f.reason order by f.updated_at desc))[1], ''),
      format('update dba.file set state = ''retry'' where config_name = %L and state = %L; or state = ''dismissed''', f.config_name, f.state)
    from dba.file f
    where f.state = 'failed'
      -- The dataset that is held back, and the change that is proposed, are told below.
      or f.state = 'quarantined' and not exists (select from dba.dataset d where d.file_id = f.file_id and d.state = 'quarantined')
      or f.state = 'waiting' and not exists (select from dba.columnproposal p where p.job = f.job and p.config_name = f.config_name and p.state = 'open')
    group by coalesce(f.config_name, f.file_name), f.config_name, f.state

    union all
    select 'warning', f.config_name, min(f.updated_at),
      format('%s for a config that no longer exists, the latest "%s"', case count(*) when 1 then 'a file waits' else format('%s files wait', count(*)) end,
        (array_agg(f.file_name order by f.updated_at desc))[1]),
      format('select dba.restore(audit_id) from dba.configaudit where table_name = %L and row_key = %L and after is null; or update dba.file set state = ''dismissed'' where config_name = %2$L and state = ''retry''', j.config_table, f.config_name)
    from dba.file f join dba.job j on j.job = f.job
    where f.state = 'retry' and not exists (select from dba.jobconfig c where c.job = f.job and c.config_name = f.config_name)
    group by f.config_name, j.config_table

    union all
    select 'warning', coalesce(d.config_name, d.label), min(d.created_at),
      format('datasets held back: %s, the latest %s', count(*), max(d.dataset_id)) || coalesce(': ' || (array_agg(d.reason order by d.dataset_id desc))[1], ''),
      format('update dba.dataset set state = ''active'' where dataset_id = %s; or state = ''deleted''', max(d.dataset_id))
    from dba.dataset d
    where d.state = 'quarantined'
    group by coalesce(d.config_name, d.label)

    union all
    select 'warning', p.config_name, p.created_at,
      format('a change of %s is proposed%s: %s', coalesce(format('"%s"', p.target_table), 'its target'),
        (select case when count(*) = 0 then '' when count(*) = 1 then ', and a file waits' else format(', and %s files wait', count(*)) end
         from dba.file f where f.job = p.job and f.config_name = p.config_name and f.state = 'waiting'), p.reason),
      format('update dba.columnproposal set state = ''approved'' where proposal_id = %s; or state = ''refused''. It would run: %s', p.proposal_id, p.ddl)
    from dba.columnproposal p
    where p.state = 'open'

    union all
    select 'warning', coalesce(f.config_name, f.file_name), min(r.since),
      format('%s of %s', case sum(r.rows) when 1 then 'a refused row' else format('%s refused rows', sum(r.rows)) end,
        case count(*) when 1 then format('file "%s"', min(f.file_name)) else format('%s loaded files', count(*)) end)
      || format(', first: %s', (array_agg(r.first order by r.since, f.file_id))[1]),
      format('select * from dba.reject_group where config_name = %L;', f.config_name)
    from (
      select j.file_id, count(*) as rows, min(j.created_at) as since, (array_agg(concat_ws(': ', j.column_name, j.message) order by j.reject_id))[1] as first
      from dba.reject j where j.state = 'open' group by j.file_id
    ) r
    join dba.file f using (file_id)
    where f.state in ('loaded', 'quarantined')
    group by coalesce(f.config_name, f.file_name), f.config_name

    union all
    select a.severity, a.subject, a.since, a.message, a.fix from dba.alert_problem() a

    union all
    select m.severity, m.subject, m.since, m.message, m.fix from dba.outbox_problem() m

    union all
    select m.severity, m.subject, m.since, m.message, m.fix from dba.mail_problems() m

    union all
    select 'warning', k.connection_name, k.checked_at,
      'the connection does not answer: ' || coalesce(k.check_message, 'no more is known'),
      format('select dba.check_connection(%L);', k.connection_name)
    from dba.connection k
    where k.check_state = 'failed'

    union all
    select 'warning', w.worker, w.started_at,
      coalesce(w.message, 'this worker is older than the schema and takes no runs'),
      format('Install the present version of Rota on host %s and start the worker again.', w.host)
    from dba.worker w
    where w.state = 'outdated' and w.heartbeat_at > statement_timestamp() - interval '1 minute'

    union all
    select 'warning', k.calendar, max(d.day)::timestamp at time zone 'UTC',
      format('calendar "%s" has no holidays after %s, and %s to it', k.calendar, max(d.day), case u.users when 1 then 'an active schedule keeps' else format('%s active schedules keep', u.users) end),
      format('insert into dba.calendarday (calendar, day, note) values (%L, ''…'', ''…'');', k.calendar)
    from dba.calendar k
    join dba.calendarday d on d.calendar = k.calendar and d.kind = 'holiday'
    join (select s.calendar, count(*) as users from dba.scheduler s where s.is_active group by s.calendar) u on u.calendar = k.calendar
    group by k.calendar, u.users
    having max(d.day) < (statement_timestamp() + interval '60 days')::date

    union all
    select 'notice', st.schedule_name, first_run.scheduled_for,
      'it has never succeeded',
      format('select dba.why_not(%L);', st.schedule_name)
    from standing st
    cross join lateral (
      select r.scheduled_for
      from dba.run r
      where r.schedule_id = st.schedule_id and r.scheduled_for <= statement_timestamp() and r.state in ('cancelled', 'skipped', 'missed')
      order by r.scheduled_for
      limit 1
    ) first_run
    where st.is_active and st.succeeded_at is null and st.failed_at is null

    union all
    select 'notice', s.schedule_name, s.updated_at,
      concat_ws(' and ', case when s.owner is null then 'it has no owner' end, case when dba.tells_nobody(s, t.value) then 'nobody is told when it fails' end),
      concat_ws(' ', 'update dba.scheduler set', concat_ws(', ', case when s.owner is null then 'owner = ''…''' end, case when dba.tells_nobody(s, t.value) then 'alert_to = ''{…}''' end),
        format('where schedule_name = %L;', s.schedule_name))
    from dba.scheduler s
    left join dba.setting t on t.name = 'alert_to'
    where s.is_active and (s.owner is null or dba.tells_nobody(s, t.value))
      -- One that only carries requests is answered for by whoever asks.
      and (s.generated_by is null or num_nonnulls(s.cron, s.on_file, s.on_notify, s.run_after) > 0)

    union all
    select 'notice', s.schedule_name, s.updated_at,
      format('it is paused until somebody resumes it%s%s', coalesce(', by ' || s.paused_by, ''), coalesce(': ' || s.pause_reason, '')),
      format('select dba.resume(%L);', s.schedule_name)
    from dba.scheduler s
    where s.is_active and s.paused_until = 'infinity'

    union all
    select 'notice', l.lane, l.updated_at,
      format('the lane is paused until %s%s%s', case when l.paused_until = 'infinity' then 'somebody clears it' else dba.local_time_text(l.paused_until, dba.default_time_zone()) end,
        coalesce(', by ' || l.paused_by, ''), coalesce(': ' || l.pause_reason, '')),
      format('update dba.lane set paused_until = null where lane = %L;', l.lane)
    from dba.lane l
    where l.paused_until > statement_timestamp()
  )
  select f.severity, f.subject, f.since, f.message, f.fix
  from found f
  order by array_position('{severe,warning,notice}', f.severity), f.since;
comment on view dba.problem is 'What is wrong now, the worst first: select * from dba.problem. Empty: all is well.';
comment on column dba.problem.severity is 'severe (something does not run or does not end well), warning (it will, or data is held back) or notice (worth putting in order).';
comment on column dba.problem.subject is 'Name of the schedule, lane, config, calendar, connection or worker it is about.';
comment on column dba.problem.since is 'Since when.';
comment on column dba.problem.message is 'What is wrong, in words.';
comment on column dba.problem.fix is 'What to type, or to do.';

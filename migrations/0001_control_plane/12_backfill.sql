-- Running what did not run, over a stretch of the past.

create function dba.terms_at(schedule dba.scheduler, at timestamptz)
returns dba.scheduler
language sql
stable
as $$
  -- The audit holds the row before each change: the first change after that moment shows the row that was in force.
  select case
    when later.before is not null then jsonb_populate_record(null::dba.scheduler, later.before)
    when at >= schedule.created_at then schedule
  end
  from (select) as one
  left join lateral (
    select a.before
    from dba.configaudit a
    where a.table_name = 'scheduler' and a.before ->> 'schedule_id' = schedule.schedule_id::text and a.changed_at > at
    order by a.audit_id
    limit 1
  ) later on at >= schedule.created_at
$$;
comment on function dba.terms_at(dba.scheduler, timestamptz) is 'The row of a schedule as it stood at a moment, from dba.configaudit; null before it was inserted.';

create function dba.backfill(schedule text, from_at text, to_at text default 'now')
returns table (run_id uuid, scheduled_for timestamptz, what text)
language plpgsql
as $$
declare
  most constant integer := 1000;
  terms dba.scheduler;
  first_at timestamptz;
  end_at timestamptz;
  total bigint;
  wanted jsonb;
begin
  perform dba.require_operator('ask for runs');
  terms := dba.find_schedule(schedule);
  if terms.cron is null or lower(terms.cron) = '@always' then
    perform dba.refuse(format('schedule "%s" has no fires to fill in: %s', terms.schedule_name, case when terms.cron is null then 'it has no cron' else 'it runs all the time' end),
      'To repeat one of its runs: select dba.rerun(run_id) from dba.recent_run where ….');
  end if;
  first_at := dba.parse_moment(from_at, terms.time_zone);
  -- What is still to come fires by itself.
  end_at := least(dba.parse_moment(coalesce(to_at, 'now'), terms.time_zone), statement_timestamp());
  if first_at is null or not isfinite(first_at) or not isfinite(end_at) or first_at >= end_at then
    perform dba.refuse(format('no time lies between %s and %s', coalesce(dba.local_time_text(first_at, terms.time_zone), 'null'), dba.local_time_text(date_trunc('second', end_at), terms.time_zone)),
      'Say from when, and until when (exclusive; now at the latest): select * from dba.backfill(''…'', ''2026-12-01'', ''2026-12-08'').');
  end if;
  total := dba.cron_count(terms.cron, terms.time_zone, first_at - interval '1 microsecond', end_at - interval '1 microsecond', terms.dst_gap, terms.dst_fold);
  if total > most then
    perform dba.refuse(format('%s fires of "%s" lie in that stretch, more than the %s of one backfill', total, terms.schedule_name, most),
      format('Fill in a shorter stretch first: select * from dba.backfill(%L, %L, %L).', terms.schedule_name, from_at, (
        select to_char(max(f) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"')
        from dba.cron_between(terms.cron, terms.time_zone, first_at - interval '1 microsecond', end_at, terms.dst_gap, terms.dst_fold, most + 1) f)));
  end if;

  return query
    with given as (
      select r.*
      from dba.run r
      where r.schedule_id = terms.schedule_id and r.scheduled_for >= first_at and r.scheduled_for < end_at
        and r.missed_count is null and r.fire_key = dba.fire_key(r.scheduled_for)
    ), computed as (
      select f.scheduled_for, f.state, f.reason
      from dba.fires(terms, first_at - interval '1 microsecond', end_at - interval '1 microsecond', most) f
    ), fire as (
      select
        coalesce(g.scheduled_for, c.scheduled_for) as scheduled_for, g.run_id as given_run, g.state, g.reason, g.requested_by,
        c.state = 'skipped' as is_free, c.reason as free_reason,
        case when g.run_id is null then dba.terms_at(terms, c.scheduled_for) end as terms_then,
        repeated.run_id as repeated_by, repeated.state as repeated_state
      from given g
      full join computed c on c.scheduled_for = g.scheduled_for
      left join lateral (
        select o.run_id, o.state
        from dba.run o
        where o.schedule_id = terms.schedule_id and o.rerun_of = g.run_id and o.state in ('planned', 'waiting', 'queued', 'running')
        limit 1
      ) repeated on true
    ), decided as (
      select
        f.*,
        case
          when f.repeated_by is not null then 'left'
          when f.state in ('planned', 'waiting', 'queued', 'running') then 'left'
          when f.is_free and (f.given_run is null or f.state = 'skipped' and f.requested_by is null) then 'left'
          when f.given_run is null and (f.terms_then).schedule_id is not null
            and dba.cron_next((f.terms_then).cron, (f.terms_then).time_zone, f.scheduled_for - interval '1 microsecond', (f.terms_then).dst_gap, (f.terms_then).dst_fold)
              is distinct from f.scheduled_for then 'left'
          when f.given_run is null then 'new'
          when f.state in ('missed', 'skipped') then 'reopen'
          else 'repeat'
        end as act
      from fire f
    ), written as (
      select w.fire_at, w.new_run
      from dba.write_backfill(terms.schedule_id, (
        select jsonb_agg(jsonb_build_object(
          'act', d.act, 'run_id', d.given_run, 'scheduled_for', d.scheduled_for, 'local_time', dba.local_time_text(d.scheduled_for, terms.time_zone),
          'reason', case d.act when 'reopen' then format('backfill; it was %s: %s', d.state, d.reason) when 'repeat' then format('backfill; it had %s', replace(d.state, 'cancelled', 'been cancelled')) else 'backfill; it had no row' end))
        from decided d where d.act <> 'left'), format('backfill from %s to %s', from_at, coalesce(to_at, 'now'))) w
    )
    select
      coalesce(w.new_run, d.repeated_by, d.given_run),
      d.scheduled_for,
      case case when d.act = 'left' or w.new_run is not null then d.act else 'late' end
        when 'late' then 'left: somebody else has just asked for it'
        when 'reopen' then format('reopened: it was %s', d.state)
        when 'repeat' then format('runs again: it had %s', replace(d.state, 'cancelled', 'been cancelled'))
        when 'new' then 'runs: it had no row'
        else case
          when d.repeated_by is not null then format('left: its rerun is %s', d.repeated_state)
          when d.state in ('planned', 'waiting', 'queued', 'running') then format('left: it is %s', d.state)
          when d.is_free then 'left: ' || d.free_reason
          else 'left: the schedule did not fire then, it was edited later'
        end
      end
    from decided d left join written w on w.fire_at = d.scheduled_for
    order by d.scheduled_for;
end
$$;
comment on function dba.backfill(text, text, text) is 'Runs the fires of a stretch of the past, one after another: missed and skipped ones are opened again, ended ones run again with as_of; free days of its calendar are left. select * from dba.backfill(''load prices'', ''2026-12-01'', ''2026-12-08''): to_at is exclusive and now when left out; times without an offset mean the zone of the schedule. At most 1000 fires.';

-- Rests on the right to execute it, which 15_grants.sql gives to rota_operator alone: it opens rows that people may not.
create function dba.write_backfill(of_schedule bigint, wanted jsonb, because text)
returns table (fire_at timestamptz, new_run uuid)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  with fire as (
    select f.*
    from jsonb_to_recordset(wanted) as f (act text, run_id uuid, scheduled_for timestamptz, local_time text, reason text)
    where f.scheduled_for <= statement_timestamp()
  ), reopened as (
    update dba.run r
    set state = 'planned', trigger = 'request', due_at = statement_timestamp(), reason = f.reason, finished_at = null, waits_for = null,
        cancel_requested = false, requested_by = session_user, requested_reason = because
    from fire f
    where f.act = 'reopen' and r.run_id = f.run_id and r.schedule_id = of_schedule and r.state in ('missed', 'skipped') and r.missed_count is null
    returning r.scheduled_for, r.run_id
  ), added as (
    insert into dba.run (schedule_id, schedule_name, job, config_name, args, trigger, fire_key, scheduled_for, due_at, local_time, reason,
      rerun_of, requested_by, requested_reason)
    select s.schedule_id, s.schedule_name, s.job, s.config_name,
      -- The args of the run that is repeated, never such as the caller could make up.
      case when o.run_id is null then '{}' else dba.as_of(o.scheduled_for) || o.args end,
      'request', case when o.run_id is null then dba.fire_key(f.scheduled_for) else gen_random_uuid()::text end,
      f.scheduled_for, statement_timestamp(), f.local_time, f.reason, o.run_id, session_user, because
    from fire f
    join dba.scheduler s on s.schedule_id = of_schedule
    left join dba.run o on f.act = 'repeat' and o.run_id = f.run_id and o.schedule_id = of_schedule
    where f.act = 'new' or o.state in ('succeeded', 'failed', 'cancelled')
    on conflict on constraint a_fire_runs_once do nothing
    returning scheduled_for, run_id
  )
  select scheduled_for, run_id from reopened
  union all
  select scheduled_for, run_id from added
$$;
comment on function dba.write_backfill(bigint, jsonb, text) is 'Writes what dba.backfill decided. People call dba.backfill.';

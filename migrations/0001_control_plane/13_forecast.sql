-- What will run in a window of time, and what ran: all schedules, calendars, pauses and people's decisions included.

create function dba.forecast(from_at timestamptz default statement_timestamp(), to_at timestamptz default null)
returns table (
  schedule_name  text,
  job            text,
  config_name    text,
  lane           text,
  scheduled_for  timestamptz,
  due_at         timestamptz,
  local_time     text,
  state          text,
  reason         text
)
language plpgsql
stable
-- Compiling the statement would cost more than running it.
set jit = off
as $$
declare
  now_at constant timestamptz := statement_timestamp();
  until_at constant timestamptz := coalesce(to_at, from_at + interval '1 day');
  most constant integer := 100000;
  is_home constant boolean := dba.is_home();
  too_many text;
begin
  if from_at is null or not isfinite(from_at) or not isfinite(until_at) or until_at <= from_at then
    perform dba.refuse('a forecast needs a window of time', 'Say from when and until when: select * from dba.forecast(now(), now() + interval ''12 hours'').');
  end if;
  -- Below this length not even a fire a second passes the bound.
  if until_at - greatest(from_at, now_at) > interval '1 day' then
    select s.schedule_name into too_many
    from dba.scheduler s
    where s.is_active and lower(s.cron) <> '@always'
      and dba.cron_count(s.cron, s.time_zone, greatest(from_at, now_at), until_at, s.dst_gap, s.dst_fold) > most
    limit 1;
    if found then
      perform dba.refuse(format('schedule "%s" fires more than %s times in that window', too_many, most), 'Ask for a shorter one.');
    end if;
  end if;

  return query
    with coming as (
      select f.*, null as local_time from dba.forecast_after(from_at, until_at) f
      union all
      select f.* from dba.forecast_clock(from_at, until_at) f
    ), computed as (
      select s.schedule_name, s.job, s.config_name, s.lane, f.scheduled_for, f.due_at,
        coalesce(f.local_time, dba.local_time_text(date_trunc('second', f.scheduled_for), s.time_zone)) as local_time,
        case
          when not is_home then 'missed'
          when f.state = 'skipped' or s.paused_until > f.due_at or c.is_active = false then 'skipped'
          when l.paused_until > f.due_at then 'waiting'
          else 'planned'
        end as state,
        case
          when not is_home then 'nothing fires in this database: it is a copy, or dba.setting.is_live is false'
          when f.state = 'skipped' then f.reason
          when s.paused_until > f.due_at then dba.pause_words('schedule', s.paused_by, s.paused_until, s.pause_reason, s.time_zone)
          when c.is_active = false then format('config "%s" is switched off (is_active is false)', s.config_name)
          when l.paused_until > f.due_at then dba.pause_words(format('lane "%s"', l.lane), l.paused_by, l.paused_until, l.pause_reason, s.time_zone)
          when f.due_at < now_at then concat_ws('; ', f.reason, 'due and not yet taken')
          else f.reason
        end as reason
      from coming f
      join dba.scheduler s on s.schedule_id = f.schedule_id
      left join dba.jobconfig c on c.job = s.job and c.config_name = s.config_name
      left join dba.lane l on l.lane = s.lane
    ), ledger as (
      select r.*
      from dba.run r
      where r.scheduled_for >= from_at and r.scheduled_for < until_at
        and r.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed')
      union all
      select r.*
      from dba.run r
      where r.due_at >= from_at and r.due_at < until_at
        and (r.state in ('waiting', 'queued', 'running') or r.state = 'planned' and (r.trigger <> 'cron' or r.requested_by is not null or r.due_at < now_at))
    )
    select x.* from computed x
    union all
    select r.schedule_name, r.job, r.config_name, coalesce(r.lane, s.lane), r.scheduled_for, r.due_at, r.local_time, r.state, r.reason
    from ledger r left join dba.scheduler s on s.schedule_id = r.schedule_id
    order by 6, 1;
end
$$;
comment on function dba.forecast(timestamptz, timestamptz) is 'Everything that runs, ran or will not run in a window, in order: select * from dba.forecast(now(), now() + interval ''12 hours''). All active cron schedules with their calendars, holidays and pauses, what runs after them (foretold by the usual durations: it depends on how they end), one-offs, and what people took out; for the past, what happened. Files and notifications (on_file, on_notify) cannot be foretold, nor what runs after a failure. One day when to_at is left out.';

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
    with active as materialized (
      -- A fire behind planned_through stands in the ledger; what lies after it is computed.
      select s.*, s as terms,
        greatest(from_at, least(now_at, p.planned_through + interval '1 microsecond')) as computed_from
      from dba.scheduler s
      join dba.plan p on p.schedule_id = s.schedule_id
      where s.is_active and s.cron is not null and lower(s.cron) <> '@always'
    ), rhythm as (
      -- Schedules of the same rhythm are computed once.
      select (array_agg(a.terms))[1] as one, array_agg(a.schedule_id) as schedule_ids, min(a.computed_from) as computed_from,
        case when a.calendar is not null and a.on_holiday in ('previous', 'next') then interval '10 days' else '0' end as shift
      from active a
      group by a.cron, a.time_zone, a.dst_gap, a.dst_fold, a.calendar, a.on_holiday
    ), rhythm_fire as materialized (
      select unnest(r.schedule_ids) as schedule_id, f.scheduled_for, f.due_at, f.state, f.reason, dba.fire_key(f.scheduled_for) as fire_key,
        dba.local_time_text(f.scheduled_for, (r.one).time_zone) as local_time
      from rhythm r
      cross join lateral dba.fires(r.one, r.computed_from - r.shift - interval '1 microsecond', until_at + r.shift - interval '1 microsecond', null) f
      where r.computed_from - r.shift < until_at + r.shift and f.due_at >= r.computed_from and f.due_at < until_at
    ), taken as materialized (
      select r.schedule_id, r.fire_key
      from dba.run r
      where r.scheduled_for >= greatest(from_at, now_at) - interval '11 days' and r.scheduled_for < until_at + interval '11 days'
        and (r.state <> 'planned' or r.requested_by is not null)
    ), computed as (
      select a.schedule_name, a.job, a.config_name, a.lane, f.scheduled_for, f.due_at, f.local_time,
        case
          when not is_home then 'missed'
          when f.state = 'skipped' or a.paused_until > f.due_at or c.is_active = false then 'skipped'
          when l.paused_until > f.due_at then 'waiting'
          else 'planned'
        end as state,
        case
          when not is_home then 'nothing fires in this database: it is a copy, or dba.setting.is_live is false'
          when f.state = 'skipped' then f.reason
          when a.paused_until > f.due_at then dba.pause_words('schedule', a.paused_by, a.paused_until, a.pause_reason, a.time_zone)
          when c.is_active = false then format('config "%s" is switched off (is_active is false)', a.config_name)
          when l.paused_until > f.due_at then dba.pause_words(format('lane "%s"', l.lane), l.paused_by, l.paused_until, l.pause_reason, a.time_zone)
          when f.due_at < now_at then concat_ws('; ', f.reason, 'due and not yet taken')
          else f.reason
        end as reason
      from rhythm_fire f
      join active a on a.schedule_id = f.schedule_id and f.due_at >= a.computed_from
      left join dba.jobconfig c on c.job = a.job and c.config_name = a.config_name
      left join dba.lane l on l.lane = a.lane
      where not exists (select from taken t where t.schedule_id = a.schedule_id and t.fire_key = f.fire_key)
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
comment on function dba.forecast(timestamptz, timestamptz) is 'Everything that runs, ran or will not run in a window, in order: select * from dba.forecast(now(), now() + interval ''12 hours''). All active cron schedules with their calendars, holidays and pauses, one-offs, and what people took out; for the past, what happened. One day when to_at is left out.';

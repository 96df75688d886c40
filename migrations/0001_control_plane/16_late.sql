-- due_by: what should have come and has not, as incidents in dba.alert. Called by workers every half a minute.

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

create function dba.watch_due_by(at timestamptz default statement_timestamp())
returns integer
language plpgsql
set lock_timeout = '200ms'
as $$
declare
  late integer;
begin
  if not dba.is_home() then
    return 0;
  end if;
  update dba.alert a
  set state = 'recovered', closed_at = at
  where a.kind = 'late' and a.state in ('open', 'acknowledged', 'muted')
    and not exists (
      select from dba.scheduler s
      where s.schedule_name = a.subject and s.is_active and s.due_by is not null
        and dba.first_brought_at(s, a.last_seen_at, at) is null);
  -- Hours that struck before the schedule was written like this count for nobody; the same hour is counted once.
  insert into dba.alert as a (kind, subject, message, opened_at, last_seen_at)
  select 'late', s.schedule_name,
    format('nothing came by %s; it is due by %s', dba.local_time_text(due.struck_at, s.time_zone), array_to_string(array(select to_char(d, 'HH24:MI') from unnest(s.due_by) d), ', ')),
    due.struck_at, at
  from dba.scheduler s
  cross join lateral (select dba.last_due_by(s, at) as struck_at) due
  where s.due_by is not null and s.is_active and coalesce(s.paused_until, at) <= at
    and due.struck_at > s.updated_at and dba.due_by_state(s, at) = 'late'
  on conflict (kind, subject) where state in ('open', 'acknowledged', 'muted') do update
  set count = a.count + 1, message = excluded.message, last_seen_at = excluded.last_seen_at
  where a.last_seen_at < excluded.opened_at;
  get diagnostics late = row_count;
  return late;
exception
  -- Somebody holds one of them open: all of it is done the next time.
  when lock_not_available then
    return 0;
end
$$;
comment on function dba.watch_due_by(timestamptz) is 'Opens an incident of kind late for each schedule whose due_by has struck on a working day and that brought nothing in time, counts further ones up, and closes those for which something came since. Returns how many were missed.';

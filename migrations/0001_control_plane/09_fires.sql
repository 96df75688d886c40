-- When a schedule fires, calendars included. The planner, the answers at the row, the forecast and why_not all stand on this one function.

create function dba.fire_key(scheduled_for timestamptz)
returns text
language sql
stable
as $$ select to_char(scheduled_for at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;
comment on function dba.fire_key(timestamptz) is 'Identity of a cron fire: its nominal instant in UTC.';

create function dba.holiday_words(calendar text, day date)
returns text
language sql
stable
as $$
  select 'holiday: ' || to_char(day, 'FMDD ') || trim(to_char(day, 'TMMonth')) || coalesce(
    ' (' || (select d.note from dba.calendarday d where d.calendar = holiday_words.calendar and d.day = holiday_words.day) || ')',
    case when extract(dow from day)::integer = any (c.weekend) then ' is a ' || trim(to_char(day, 'Day')) end,
    '') || format(' in calendar "%s"', c.calendar)
  from dba.calendar c
  where c.calendar = holiday_words.calendar
$$;
comment on function dba.holiday_words(text, date) is 'Why a day is free, in words.';

create function dba.fires_at(schedule dba.scheduler, moment timestamptz)
returns boolean
language sql
stable
as $$
  select dba.cron_next(schedule.cron, schedule.time_zone, moment - interval '1 microsecond', schedule.dst_gap, schedule.dst_fold) is not distinct from moment
$$;
comment on function dba.fires_at(dba.scheduler, timestamptz) is 'Is that moment a fire of the schedule''s cron?';

create function dba.fires(schedule dba.scheduler, after timestamptz, until timestamptz, most integer)
returns table (scheduled_for timestamptz, due_at timestamptz, state text, reason text)
language plpgsql
stable
as $$
declare
  day date;
  time_of_day time;
  moved_day date;
  former_day date;
  is_covered boolean;
begin
  if schedule.cron is null or lower(schedule.cron) = '@always' then
    return;
  end if;
  for scheduled_for in select f from dba.cron_between(schedule.cron, schedule.time_zone, after, until, schedule.dst_gap, schedule.dst_fold, most) f loop
    due_at := scheduled_for;
    state := 'planned';
    reason := null;
    day := (scheduled_for at time zone schedule.time_zone)::date;
    if schedule.calendar is not null and schedule.on_holiday <> 'run' and not dba.is_workday(schedule.calendar, day) then
      reason := dba.holiday_words(schedule.calendar, day);
      if schedule.on_holiday = 'skip' then
        state := 'skipped';
      else
        moved_day := dba.workday_add(schedule.calendar, day, case schedule.on_holiday when 'previous' then -1 else 1 end);
        time_of_day := (scheduled_for at time zone schedule.time_zone)::time;
        due_at := (moved_day + time_of_day) at time zone schedule.time_zone;
        -- Where the schedule fires at that moment anyway, or an earlier free day has moved there, one run is enough.
        is_covered := dba.fires_at(schedule, due_at);
        former_day := day - 1;
        while not is_covered and not dba.is_workday(schedule.calendar, former_day) loop
          is_covered := dba.fires_at(schedule, (former_day + time_of_day) at time zone schedule.time_zone);
          former_day := former_day - 1;
        end loop;
        state := case when is_covered then 'skipped' else 'planned' end;
        reason := format(case when is_covered then '%s; the schedule runs on %s anyway' else '%s; moved to %s' end, reason, moved_day);
        due_at := case when is_covered then scheduled_for else due_at end;
      end if;
    end if;
    return next;
  end loop;
end
$$;
comment on function dba.fires(dba.scheduler, timestamptz, timestamptz, integer) is 'Fires of a schedule after one moment up to another, at most so many, calendar applied: nominal instant, when it is due, planned or skipped, and why.';

create function dba.coming_fires(schedule dba.scheduler, after timestamptz, wanted integer default 5)
returns table (scheduled_for timestamptz, due_at timestamptz, state text, reason text)
language plpgsql
stable
as $$
declare
  position timestamptz := after;
  planned integer := 0;
  skipped_in_a_row integer := 0;
  has_fired boolean;
  day date;
begin
  for portion in 1 .. 400 loop
    has_fired := false;
    for scheduled_for, due_at, state, reason in select * from dba.fires(schedule, position, 'infinity', wanted - planned) loop
      has_fired := true;
      position := scheduled_for;
      return next;
      skipped_in_a_row := case when state = 'skipped' then skipped_in_a_row + 1 else 0 end;
      planned := planned + case when state = 'planned' then 1 else 0 end;
      if planned = wanted then
        return;
      end if;
    end loop;
    if not has_fired then
      return;
    end if;
    -- The rest of a stretch of free days is passed over, where every fire is skipped.
    day := (position at time zone schedule.time_zone)::date;
    if skipped_in_a_row > 0 and (schedule.on_holiday = 'skip' or skipped_in_a_row > 60) and not dba.is_workday(schedule.calendar, day) then
      while not dba.is_workday(schedule.calendar, day) loop
        day := day + 1;
        exit when day > (position at time zone schedule.time_zone)::date + 4000;
      end loop;
      position := greatest(position, day::timestamp at time zone schedule.time_zone - interval '1 microsecond');
    end if;
  end loop;
end
$$;
comment on function dba.coming_fires(dba.scheduler, timestamptz, integer) is 'The fires that come, until so many planned ones are found. Of a stretch of free days only the first skipped ones are among them.';

create function dba.pause_words(what text, paused_by text, paused_until timestamptz, pause_reason text, time_zone text)
returns text
language sql
stable
as $$
  select format('%s is paused%s %s%s', what, ' by ' || paused_by,
    case when paused_until = 'infinity' then 'until somebody resumes it' else 'until ' || dba.local_time_text(date_trunc('second', paused_until), coalesce(time_zone, 'UTC')) end,
    ': ' || pause_reason)
$$;
comment on function dba.pause_words(text, text, timestamptz, text, text) is 'A pause in words.';

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

create function dba.fires(schedule dba.scheduler, after timestamptz, until timestamptz, most integer)
returns table (scheduled_for timestamptz, due_at timestamptz, state text, reason text)
language plpgsql
stable
as $$
declare
  fire timestamptz;
  day date;
  moved_day date;
  former_due timestamptz;
begin
  if schedule.cron is null or schedule.cron ilike '@always' then
    return;
  end if;
  for fire in select f from dba.cron_between(schedule.cron, schedule.time_zone, after, until, schedule.dst_gap, schedule.dst_fold, most) f loop
    scheduled_for := fire;
    due_at := fire;
    state := 'planned';
    reason := null;
    if schedule.calendar is not null and schedule.on_holiday <> 'run' then
      day := (fire at time zone schedule.time_zone)::date;
      if not dba.is_workday(schedule.calendar, day) then
        reason := dba.holiday_words(schedule.calendar, day);
        if schedule.on_holiday = 'skip' then
          state := 'skipped';
        else
          moved_day := dba.workday_add(schedule.calendar, day, case schedule.on_holiday when 'previous' then -1 else 1 end);
          due_at := (moved_day + (fire at time zone schedule.time_zone)::time) at time zone schedule.time_zone;
          -- Where the schedule fires at that moment anyway, or another free day has moved there, one run is enough.
          if due_at is not distinct from former_due
            or dba.cron_next(schedule.cron, schedule.time_zone, due_at - interval '1 microsecond', schedule.dst_gap, schedule.dst_fold) = due_at then
            state := 'skipped';
            reason := format('%s; the schedule runs on %s anyway', reason, moved_day);
          else
            reason := format('%s; moved to %s', reason, moved_day);
          end if;
          former_due := due_at;
        end if;
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
  fire record;
  position timestamptz := after;
  planned integer := 0;
  seen integer;
begin
  -- Free days may swallow many fires: goes on in portions until so many are planned, within bounds.
  for portion in 1 .. 40 loop
    seen := 0;
    for fire in select * from dba.fires(schedule, position, 'infinity', case when portion = 1 then wanted else 60 end) loop
      seen := seen + 1;
      position := fire.scheduled_for;
      scheduled_for := fire.scheduled_for;
      due_at := fire.due_at;
      state := fire.state;
      reason := fire.reason;
      return next;
      if fire.state = 'planned' then
        planned := planned + 1;
        if planned = wanted then
          return;
        end if;
      end if;
    end loop;
    if seen = 0 then
      return;
    end if;
  end loop;
end
$$;
comment on function dba.coming_fires(dba.scheduler, timestamptz, integer) is 'The fires that come, skipped ones included, until so many planned ones are found.';

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

-- Time zones as the cron engine needs them: where the UTC offset changes, whole seconds since the epoch, and a moment as a person reads it.

create function dba.local_time_text(at timestamptz, time_zone text)
returns text
language plpgsql
stable
strict
as $$
declare
  margin       constant bigint := 93600;
  here         bigint;
  utc_offset   bigint;
  other        bigint;
  local_time   timestamp;
  offset_text  text := '';
begin
  if not isfinite(at) then
    return at::text;
  end if;
  perform dba.check_cron_options(time_zone, 'shift', 'first');
  here := dba.epoch_second(at);
  utc_offset := dba.utc_offset(time_zone, here);
  foreach other in array array[dba.utc_offset(time_zone, here - margin), dba.utc_offset(time_zone, here + margin)] loop
    if other <> utc_offset and dba.utc_offset(time_zone, here + utc_offset - other) = other then
      offset_text := format(' (%s%s)', case when utc_offset < 0 then '-' else '+' end,
                            to_char(make_interval(secs => abs(utc_offset)), case when utc_offset % 60 = 0 then 'HH24:MI' else 'HH24:MI:SS' end));
    end if;
  end loop;
  local_time := at at time zone time_zone;
  return to_char(local_time, case when date_part('second', date_trunc('second', local_time)) = 0 then 'Dy YYYY-MM-DD HH24:MI ' else 'Dy YYYY-MM-DD HH24:MI:SS ' end)
         || time_zone || offset_text;
end
$$;
comment on function dba.local_time_text(timestamptz, text) is
  'A moment as a person reads it in a zone: select dba.local_time_text(''2026-11-23 05:20Z'', ''Europe/Warsaw'') answers Mon 2026-11-23 06:20 Europe/Warsaw. Seconds stand only when they are not zero; a time that comes twice as the clocks go back carries its UTC offset: Sun 2026-10-25 02:30 Europe/Warsaw (+01:00).';

create function dba.check_cron_options(time_zone text, dst_gap text, dst_fold text)
returns void
language plpgsql
stable
as $$
begin
  if dst_gap not in ('shift', 'skip') then
    raise exception using errcode = '22023',
      message = format('dst_gap "%s" is not known', left(dst_gap, 60)),
      hint = 'Write shift (a fixed hour that does not exist fires later by the jump) or skip (it does not fire).';
  elsif dst_fold not in ('first', 'last', 'both') then
    raise exception using errcode = '22023',
      message = format('dst_fold "%s" is not known', left(dst_fold, 60)),
      hint = 'Write first, last or both: which of the two a fixed hour fires at when the clocks go back.';
  elsif time_zone <> 'UTC' then
    begin
      perform timestamptz 'epoch' at time zone time_zone;
    exception
      when invalid_parameter_value then
        raise exception using errcode = '22023',
          message = format('time zone "%s" is not known', left(time_zone, 60)),
          hint = 'Write an IANA name, for example Europe/Warsaw; select time_zone from dba.timezone lists them.';
    end;
  end if;
end
$$;
comment on function dba.check_cron_options(text, text, text) is 'Refuses an unknown time zone, dst_gap or dst_fold with a hint.';

create function dba.utc_offset_change(time_zone text, from_second bigint, to_second bigint)
returns bigint
language plpgsql
immutable
as $$
declare
  step        constant bigint := 330000;  -- the shortest offset on record held for 344,400 s (Freetown, September 1939)
  utc_offset  bigint := dba.utc_offset(time_zone, from_second);
  before      bigint := from_second;
  later       bigint := from_second;
  middle      bigint;
begin
  while dba.utc_offset(time_zone, later) = utc_offset loop
    if later >= to_second then
      return null;
    end if;
    before := later;
    later := least(later + step, to_second);
  end loop;
  while later - before > 1 loop
    middle := (before + later) / 2;
    if dba.utc_offset(time_zone, middle) = utc_offset then
      before := middle;
    else
      later := middle;
    end if;
  end loop;
  return later;
end
$$;
comment on function dba.utc_offset_change(text, bigint, bigint) is
  'The first second in (from_second, to_second] at which the zone has another UTC offset than at from_second; null when it keeps it.';

create function dba.utc_offset(time_zone text, at_second bigint)
returns bigint
language sql
immutable
as $$ select date_part('epoch', to_timestamp(at_second) at time zone time_zone)::bigint - at_second $$;
comment on function dba.utc_offset(text, bigint) is 'Seconds that the local time of the zone is ahead of UTC at an epoch second.';

create function dba.epoch_second(at timestamptz)
returns bigint
language sql
immutable
as $$
  select case
    when at < '0001-01-01 00:00Z' then -62135596800
    when at > '9999-12-31 23:59:59Z' then 253402300799
    else floor(extract(epoch from at))::bigint
  end
$$;
comment on function dba.epoch_second(timestamptz) is 'The whole second at or before a moment, since the Unix epoch; the years 1 to 9999 bound it, infinity too.';

create function dba.epoch_day(local_second bigint)
returns date
language sql
immutable
as $$ select date '1970-01-01' + floor(local_second / 86400::float8)::integer $$;
comment on function dba.epoch_day(bigint) is 'The day a local second lies in, counted from 1970-01-01 00:00 on the local clock.';

create function dba.day_second(day date)
returns bigint
language sql
immutable
as $$ select (day - date '1970-01-01') * bigint '86400' $$;
comment on function dba.day_second(date) is 'The first local second of a day, counted from 1970-01-01 00:00 on the local clock.';

-- The fires of a cron line within a stretch of constant UTC offset: listed, counted, and the first day that has any.

create function dba.cron_fires_at_offset(spec dba.cron_spec, from_second bigint, to_second bigint, utc_offset bigint, wanted integer)
returns bigint[]
language plpgsql
immutable
as $$
declare
  fires_a_day   integer := cardinality(spec.hours) * cardinality(spec.minutes) * cardinality(spec.seconds);
  local_end     bigint := to_second + utc_offset;
  day           date := dba.epoch_day(from_second + utc_offset);
  fires         bigint[] := '{}';
  day_starts    bigint[] := '{}';
  day_start     bigint;
  hour_start    bigint;
  minute_start  bigint;
  hour          integer;
  minute        integer;
  second        integer;
begin
  if from_second >= to_second then
    return fires;
  end if;
  loop
    day := dba.cron_day(spec, day);
    exit when day is null or dba.day_second(day) >= local_end;
    day_starts := day_starts || dba.day_second(day) - utc_offset;
    exit when (cardinality(day_starts) - 1) * fires_a_day::bigint >= wanted;  -- the first day may be cut short, the others are whole
    day := day + 1;
  end loop;

  if cardinality(day_starts) * fires_a_day::bigint between 200 and wanted then
    return array(
      select   start_at + 3600 * h + 60 * m + s
      from     unnest(day_starts) start_at, unnest(spec.hours) h, unnest(spec.minutes) m, unnest(spec.seconds) s
      where    start_at + 3600 * h + 60 * m + s >= from_second
      and      start_at + 3600 * h + 60 * m + s < to_second
      order by 1);
  end if;
  foreach day_start in array day_starts loop
    foreach hour in array spec.hours loop
      hour_start := day_start + 3600 * hour;
      continue when hour_start + 3600 <= from_second;
      foreach minute in array spec.minutes loop
        minute_start := hour_start + 60 * minute;
        continue when minute_start + 60 <= from_second;
        foreach second in array spec.seconds loop
          if minute_start + second >= to_second or cardinality(fires) >= wanted then
            return fires;
          elsif minute_start + second >= from_second then
            fires := fires || minute_start + second;
          end if;
        end loop;
      end loop;
    end loop;
  end loop;
  return fires;
end
$$;
comment on function dba.cron_fires_at_offset(dba.cron_spec, bigint, bigint, bigint, integer) is
  'The fires of a calendar line in [from_second, to_second) as if the zone had this UTC offset (seconds) throughout: ascending epoch seconds, at most wanted.';

create function dba.cron_count_at_offset(spec dba.cron_spec, from_second bigint, to_second bigint, utc_offset bigint)
returns bigint
language plpgsql
immutable
as $$
declare
  fires_a_day  bigint := cardinality(spec.hours) * cardinality(spec.minutes) * cardinality(spec.seconds);
  first_day    date := dba.epoch_day(from_second + utc_offset) + 1;
  last_day     date := dba.epoch_day(to_second + utc_offset);
  day          date := first_day;
  total        bigint := 0;
begin
  if first_day > last_day then
    return cardinality(dba.cron_fires_at_offset(spec, from_second, to_second, utc_offset, 2147483647));
  end if;
  loop
    day := dba.cron_day(spec, day);
    exit when day is null or day >= last_day;
    total := total + fires_a_day;
    day := day + 1;
  end loop;
  return total
       + cardinality(dba.cron_fires_at_offset(spec, from_second, dba.day_second(first_day) - utc_offset, utc_offset, 2147483647))
       + cardinality(dba.cron_fires_at_offset(spec, dba.day_second(last_day) - utc_offset, to_second, utc_offset, 2147483647));
end
$$;
comment on function dba.cron_count_at_offset(dba.cron_spec, bigint, bigint, bigint) is
  'How many fires dba.cron_fires_at_offset would list: whole days by multiplication, the two ends by listing.';

create function dba.cron_day(spec dba.cron_spec, from_day date)
returns date
language plpgsql
immutable
as $$
declare
  month_start    date;
  month_length   integer;
  first_weekday  integer;
  weekday        integer;
  on_month_day   boolean;
  on_weekday     boolean;
begin
  if spec.any_month_day and spec.any_weekday and cardinality(spec.months) = 12 then
    return from_day;
  end if;
  for months_ahead in 0 .. 41 * 12 loop
    if date_part('month', from_day) = any (spec.months) then
      month_start := from_day - (date_part('day', from_day)::integer - 1);
      month_length := (month_start + interval '1 month')::date - month_start;
      first_weekday := date_part('dow', month_start);
      for month_day in date_part('day', from_day) .. month_length loop
        weekday := (first_weekday + month_day - 1) % 7;
        on_month_day := month_day = any (spec.month_days) or month_day = month_length and 0 = any (spec.month_days);
        on_weekday := weekday = any (spec.weekdays)
                   or 10 * (weekday + 1) + (month_day + 6) / 7 = any (spec.weekdays)
                   or month_day > month_length - 7 and 10 * (weekday + 1) = any (spec.weekdays);
        if on_month_day and on_weekday or not (spec.any_month_day or spec.any_weekday) and (on_month_day or on_weekday) then
          return month_start + (month_day - 1);
        end if;
      end loop;
    end if;
    from_day := (date_trunc('month', from_day::timestamp) + interval '1 month')::date;
  end loop;
  return null;
end
$$;
comment on function dba.cron_day(dba.cron_spec, date) is
  'The first day on or after from_day on which a calendar line fires, whatever the zone; null when there is none within 41 years.';

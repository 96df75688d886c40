-- Cron: the only engine that decides when a schedule fires. Reading a line is 02_cron_line.sql, the fires of one stretch 02_cron_stretch.sql, zones 02_cron_zone.sql.
-- A line is read once into a dba.cron_spec. Fires are looked for in stretches of constant UTC offset, in whole seconds since the Unix epoch;
-- only at a change of the offset do dst_gap and dst_fold have a say.

create type dba.cron_spec as (
  kind           text,
  every_seconds  bigint,
  seconds        integer[],
  minutes        integer[],
  hours          integer[],
  month_days     integer[],
  months         integer[],
  weekdays       integer[],
  any_month_day  boolean,
  any_weekday    boolean,
  wall_clock     boolean
);
comment on type dba.cron_spec is 'A cron line as it was understood: made by dba.parse_cron, read by the engine only.';
comment on column dba.cron_spec.kind is 'calendar (five or six fields), every (@every) or always (@always).';
comment on column dba.cron_spec.every_seconds is 'Seconds between two fires of @every, counted from the Unix epoch; null for the other kinds.';
comment on column dba.cron_spec.seconds is 'Seconds at which it fires, 0-59, ascending.';
comment on column dba.cron_spec.minutes is 'Minutes at which it fires, 0-59, ascending.';
comment on column dba.cron_spec.hours is 'Hours at which it fires, 0-23, ascending.';
comment on column dba.cron_spec.month_days is 'Days of the month, 1-31, ascending; 0 stands for the last one (L).';
comment on column dba.cron_spec.months is 'Months, 1-12, ascending.';
comment on column dba.cron_spec.weekdays is 'Weekdays 0-6 from Sunday; 10 * (weekday + 1) + n for the nth of the month (n#k), with n = 0 for the last (nL).';
comment on column dba.cron_spec.any_month_day is 'True when day-of-month is a bare *: the weekday alone decides.';
comment on column dba.cron_spec.any_weekday is 'True when day-of-week is a bare *: the day of month alone decides. Neither is bare: a day that matches either fires (Vixie).';
comment on column dba.cron_spec.wall_clock is 'True when the hour field starts with *: fires follow the wall clock, dst_gap and dst_fold do not apply.';

create function dba.check_cron(cron text)
returns text
language plpgsql
immutable
parallel safe
as $$
begin
  perform dba.parse_cron(coalesce(cron, ''));
  cron := btrim(regexp_replace(cron, '[ \t]+', ' ', 'g'));
  return case when cron like '@%' then lower(cron collate "C") else upper(cron collate "C") end;
end
$$;
comment on function dba.check_cron(text) is
  'Tries a cron line before it stands in a schedule: select dba.check_cron(''30 6 * * mon-fri'') answers 30 6 * * MON-FRI, the line tidied up (single blanks, names in capitals, nicknames in small letters). A line that is wrong or never fires is refused with what is wrong and what would be right.';

create function dba.cron_next(
  cron       text,
  time_zone  text         default 'UTC',
  after      timestamptz  default clock_timestamp(),
  dst_gap    text         default 'shift',
  dst_fold   text         default 'first'
)
returns timestamptz
language plpgsql
stable
as $$
begin
  return (select fire from dba.cron_between(cron, time_zone, after, 'infinity', dst_gap, dst_fold, 1) fire);
end
$$;
comment on function dba.cron_next(text, text, timestamptz, text, text) is
  'The next fire of a cron line, strictly after a moment: select dba.cron_next(''20 6 * * 1'', ''Europe/Warsaw''). Null: it has none (@always runs all the time; with dst_gap skip a line may fall into the gap every year). dba.cron_between says what dst_gap and dst_fold do.';

create function dba.cron_between(
  cron       text,
  time_zone  text         default 'UTC',
  from_at    timestamptz  default clock_timestamp(),
  to_at      timestamptz  default 'infinity',
  dst_gap    text         default 'shift',
  dst_fold   text         default 'first',
  max_fires  integer      default null
)
returns setof timestamptz
language plpgsql
stable
as $$
declare
  look_ahead     constant bigint := 1650000;     -- 19 days: an ordinary week is found in one stretch
  margin         constant bigint := 93600;       -- 26 hours: a change of the offset reaches as far as it is big, 24 hours at most (Apia 2011)
  dry_spell      constant bigint := 1325376000;  -- 42 years: a 29 February on a given weekday comes within 40
  spec           dba.cron_spec := dba.parse_cron(cron);
  gap_shifts     boolean;
  wanted         integer := coalesce(max_fires, 2147483647);
  first_second   bigint;
  last_second    bigint;
  give_up_at     bigint;
  here           bigint;
  stretch_end    bigint;
  next_stretch   bigint;
  change_at      bigint;
  utc_offset     bigint;
  jump           bigint;
  fires          bigint[];
  fire           bigint;
  next_day       date;
begin
  time_zone := coalesce(time_zone, 'UTC');
  dst_gap := coalesce(dst_gap, 'shift');
  dst_fold := coalesce(dst_fold, 'first');
  perform dba.check_cron_options(time_zone, dst_gap, dst_fold);
  first_second := dba.epoch_second(coalesce(from_at, clock_timestamp())) + 1;
  last_second := dba.epoch_second(coalesce(to_at, 'infinity'));
  if max_fires is null and not isfinite(coalesce(to_at, 'infinity')) then
    raise exception using errcode = '22023',
      message = 'fires without an end cannot be listed',
      detail = 'Neither to_at nor max_fires is given.',
      hint = 'Give to_at, or say how many you want: max_fires => 5.';
  end if;
  if spec is null or spec.kind = 'always' or first_second > last_second or wanted < 1 then
    return;
  end if;
  if spec.kind = 'every' then
    here := ceil(first_second::numeric / spec.every_seconds) * spec.every_seconds;
    return query
      select to_timestamp(second)
      from   generate_series(here, least(last_second, here + (wanted - 1) * spec.every_seconds), spec.every_seconds) second;
    return;
  end if;

  here := first_second - margin;  -- a change just behind us still moves or drops fires ahead of us
  give_up_at := first_second + dry_spell;
  while here <= last_second and here <= give_up_at loop
    utc_offset := dba.utc_offset(time_zone, here);
    change_at := dba.utc_offset_change(time_zone, here, here + look_ahead);
    gap_shifts := false;
    if change_at is null then
      stretch_end := here + look_ahead - margin;
      next_stretch := stretch_end;
    else
      stretch_end := change_at;
      next_stretch := change_at;
      jump := dba.utc_offset(time_zone, change_at) - utc_offset;
      if not spec.wall_clock and jump > 0 and dst_gap = 'shift' then
        gap_shifts := true;
        next_stretch := change_at + jump;
      elsif not spec.wall_clock and jump < 0 and dst_fold = 'first' then
        next_stretch := change_at - jump;
      elsif not spec.wall_clock and jump < 0 and dst_fold = 'last' then
        stretch_end := change_at + jump;
      end if;
    end if;

    fires := dba.cron_fires_at_offset(spec, greatest(here, first_second), least(stretch_end, last_second + 1), utc_offset, wanted);
    if gap_shifts then
      -- After the jump two readings of the clock count: the old one moves what the gap swallowed, the new one holds. Where they meet is one fire.
      fires := (fires || array(
        select   distinct fire_at
        from     unnest(array[utc_offset, utc_offset + jump]) reading,
                 unnest(dba.cron_fires_at_offset(spec, greatest(change_at, first_second), least(next_stretch, last_second + 1), reading, wanted)) fire_at
        order by fire_at
      ))[:wanted];
    end if;
    if cardinality(fires) > 50 then
      return query select to_timestamp(fire_at) from unnest(fires) fire_at;
    else
      foreach fire in array fires loop
        return next to_timestamp(fire);
      end loop;
    end if;
    wanted := wanted - cardinality(fires);
    exit when wanted = 0;

    here := next_stretch;
    if cardinality(fires) > 0 then
      give_up_at := here + dry_spell;
    else
      next_day := dba.cron_day(spec, dba.epoch_day(here + utc_offset - margin));
      exit when next_day is null;
      here := greatest(here, dba.day_second(next_day) - 2 * margin);
    end if;
  end loop;
end
$$;
comment on function dba.cron_between(text, text, timestamptz, timestamptz, text, text, integer) is
  'The fires of a cron line after from_at, up to and including to_at, in order, at most max_fires (null: all): select * from dba.cron_between(''0 6 * * *'', ''Europe/Warsaw'', now(), now() + interval ''1 week''). dst_gap: a fixed hour that does not exist fires as much later as the clock jumped (shift: 02:30 at 03:30) or not at all (skip). dst_fold: a fixed hour that comes twice fires the first time, the last time or both. An hour field that starts with * follows the wall clock, and @every counts real time: neither heeds the two.';

create function dba.cron_count(
  cron       text,
  time_zone  text,
  from_at    timestamptz,
  to_at      timestamptz,
  dst_gap    text         default 'shift',
  dst_fold   text         default 'first'
)
returns bigint
language plpgsql
stable
as $$
declare
  margin       constant bigint := 93600;
  spec         dba.cron_spec := dba.parse_cron(cron);
  total        bigint := 0;
  here         bigint := dba.epoch_second(from_at);
  last_second  bigint := dba.epoch_second(to_at);
  change_at    bigint;
  utc_offset   bigint;
  reach        bigint;
  calm_end     bigint;
  unrest_end   bigint;
begin
  time_zone := coalesce(time_zone, 'UTC');
  perform dba.check_cron_options(time_zone, coalesce(dst_gap, 'shift'), coalesce(dst_fold, 'first'));
  if spec is null or here is null or last_second is null then
    return null;
  elsif not isfinite(to_at) or not isfinite(from_at) then
    raise exception using errcode = '22023',
      message = 'fires without an end cannot be counted',
      detail = format('from_at is %s, to_at is %s.', from_at, to_at),
      hint = 'Give two moments.';
  elsif spec.kind = 'always' or here >= last_second then
    return 0;
  elsif spec.kind = 'every' then
    return floor(last_second::numeric / spec.every_seconds) - floor(here::numeric / spec.every_seconds);
  end if;

  -- Calm stretches are counted day by day; around a change of the offset, as far as it reaches, the fires are listed.
  unrest_end := here;
  if dba.utc_offset(time_zone, here - margin) <> dba.utc_offset(time_zone, here) then
    unrest_end := least(here + margin, last_second);
  end if;
  loop
    if here < unrest_end then
      total := total + (select count(*) from dba.cron_between(cron, time_zone, to_timestamp(here), to_timestamp(unrest_end), dst_gap, dst_fold));
    end if;
    here := unrest_end;
    exit when here >= last_second;
    utc_offset := dba.utc_offset(time_zone, here);
    change_at := dba.utc_offset_change(time_zone, here, last_second + margin);
    if change_at is null then
      calm_end := last_second;
      unrest_end := last_second;
    else
      reach := abs(dba.utc_offset(time_zone, change_at) - utc_offset);
      calm_end := least(change_at - reach - 1, last_second);
      unrest_end := least(change_at + reach, last_second);
    end if;
    if here < calm_end then
      total := total + dba.cron_count_at_offset(spec, here + 1, calm_end + 1, utc_offset);
      here := calm_end;
    end if;
  end loop;
  return total;
end
$$;
comment on function dba.cron_count(text, text, timestamptz, timestamptz, text, text) is
  'How many fires a cron line has after from_at, up to and including to_at, without listing them: select dba.cron_count(''* * * * * *'', ''UTC'', now() - interval ''1 day'', now()) answers 86400.';

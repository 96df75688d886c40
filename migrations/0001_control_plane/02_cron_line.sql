-- Reading a cron line: fields, lists, ranges, names, nicknames; and the words for what is wrong with one.

create function dba.parse_cron(cron text)
returns dba.cron_spec
language plpgsql
immutable
strict
parallel safe
as $$
declare
  month_names    constant text[] := '{JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC}';
  weekday_names  constant text[] := '{SUN,MON,TUE,WED,THU,FRI,SAT}';
  spec           dba.cron_spec;
  stray          text;
  given          text;
  words          text[];
begin
  if length(cron) > 200 then
    perform dba.refuse_cron(cron, format(': %s characters given, 200 at most', length(cron)), 'The message shows the first 40.', 'Split it into several schedules.');
  end if;
  stray := substring(cron collate "C" from '[^0-9A-Za-z*/,#@ \t-]');
  if stray is not null then
    perform dba.refuse_cron(cron,
      format(': character %s is not understood', case
        when stray ~ '[\x21-\x7e]' then format('"%s"', stray)
        when ascii(stray) < 161 then format('U+%s', lpad(upper(to_hex(ascii(stray))), 4, '0'))
        else format('"%s" (U+%s)', stray, lpad(upper(to_hex(ascii(stray))), 4, '0'))
      end),
      format('It is character %s of the line.', position(stray in cron)),
      case when stray = '?' then 'Write * instead of ?.'
           when cron ilike '%@every%' then 'Write whole numbers with units, for example @every 90s or @every 1h30m.'
           else 'Use digits, names such as MON or JAN, the signs * - / , # and blanks, for example 30 6 * * MON-FRI.' end);
  end if;
  given := btrim(regexp_replace(upper(cron collate "C"), '[ \t]+', ' ', 'g'));
  if given like '@EVERY %' or given = '@EVERY' then
    spec.kind := 'every';
    spec.every_seconds := dba.parse_every(cron, substr(given, 8));
    return spec;
  elsif given = '@ALWAYS' then
    spec.kind := 'always';
    return spec;
  elsif given like '@%' then
    words := string_to_array(case given
      when '@HOURLY'   then '0 * * * *'
      when '@DAILY'    then '0 0 * * *'
      when '@MIDNIGHT' then '0 0 * * *'
      when '@WEEKLY'   then '0 0 * * 0'
      when '@MONTHLY'  then '0 0 1 * *'
      when '@YEARLY'   then '0 0 1 1 *'
      when '@ANNUALLY' then '0 0 1 1 *'
    end, ' ');
    if words is null then
      perform dba.refuse_cron(cron, format(': nickname "%s" is not known', lower(given)), 'A nickname stands alone in the line.',
        'Write @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, @every 90s or @always.');
    end if;
  else
    words := string_to_array(given, ' ');
  end if;
  if cardinality(words) not in (5, 6) then
    perform dba.refuse_cron(cron, format(': %s fields given, 5 or 6 needed', cardinality(words)), 'Fields are separated by blanks; there is none for the year.',
      '[second] minute hour day-of-month month day-of-week, for example 30 6 * * MON-FRI');
  elsif cardinality(words) = 5 then
    words := array['0'] || words;
  end if;
  spec.kind := 'calendar';
  spec.seconds := dba.parse_cron_field(cron, 'second', words[1], 0, 59, '{}');
  spec.minutes := dba.parse_cron_field(cron, 'minute', words[2], 0, 59, '{}');
  spec.hours := dba.parse_cron_field(cron, 'hour', words[3], 0, 23, '{}');
  spec.month_days := dba.parse_cron_field(cron, 'day-of-month', words[4], 1, 31, '{}');
  spec.months := dba.parse_cron_field(cron, 'month', words[5], 1, 12, month_names);
  spec.weekdays := dba.parse_cron_field(cron, 'day-of-week', words[6], 0, 7, weekday_names);
  spec.any_month_day := words[4] = '*';
  spec.any_weekday := words[6] = '*';
  spec.wall_clock := words[3] like '*%';
  if spec.any_weekday and spec.month_days[1] > 29
     and not exists (select from unnest(spec.months) m where spec.month_days[1] <= ('{31,29,31,30,31,30,31,31,30,31,30,31}'::integer[])[m]) then
    perform dba.refuse_cron(cron, ' never fires', format('Day-of-month "%s" does not exist in month "%s".', words[4], words[5]),
      'Write L for the last day of a month, or another month.');
  end if;
  return spec;
end
$$;
comment on function dba.parse_cron(text) is
  'Reads a cron line; dba.check_cron is the form for people. Refuses with SQLSTATE 22023 what is wrong and what never fires. Null for null.';

create function dba.parse_cron_field(cron text, field text, given text, low integer, high integer, names text[])
returns integer[]
language plpgsql
immutable
parallel safe
as $$
declare
  numbers     constant integer[] := '{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,
                                       30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59}';
  is_weekday  constant boolean := field = 'day-of-week';
  top         constant integer := case when is_weekday then 6 else high end;
  members     integer[] := '{}';
  part        text;
  piece       text[];
  first       integer;
  last        integer;
  step        integer;
begin
  if given = '*' then
    return numbers[low + 1 : top + 1];
  end if;
  foreach part in array string_to_array(given, ',') loop
    piece := regexp_match(part, '^(?:\*|([0-9]+|[A-Z]{3})(?:-([0-9]+|[A-Z]{3}))?)(?:/([0-9]+))?$');
    if piece is null then
      members := members || dba.parse_cron_special(cron, field, given, part, low, high, names);
      continue;
    end if;
    first := coalesce(dba.parse_cron_value(cron, field, given, piece[1], low, high, names), low);
    last := case when piece[1] is null then top
                 when piece[2] = 'SUN' and is_weekday then 7
                 else coalesce(dba.parse_cron_value(cron, field, given, piece[2], low, high, names), first) end;
    if first > last then
      perform dba.refuse_cron(cron, format(': %s range %s-%s runs backwards', field, piece[1], piece[2]), format('Field %s is "%s".', field, given),
        format('Write %s,%s.', dba.cron_range_text(first, top, low, names), dba.cron_range_text(low, last, low, names)));
    elsif piece[3] is null then
      members := members || numbers[first + 1 : last + 1];
      continue;
    elsif piece[1] is not null and piece[2] is null then
      perform dba.refuse_cron(cron, format(': %s "%s" has a step without a range', field, part), format('Field %s is "%s".', field, given),
        format('Write %s/%s or */%3$s.', piece[1] || '-' || top, piece[3], piece[3]));
    end if;
    step := dba.cron_number(piece[3]);
    if step not between 1 and top - low + 1 then
      perform dba.refuse_cron(cron, format(': %s step %s is out of range 1-%s', field, piece[3], top - low + 1), format('Field %s is "%s".', field, given),
        format('A step says every how many, for example */%s.', least(5, top - low + 1)));
    end if;
    for number in first .. last by step loop
      members := members || number;
    end loop;
  end loop;
  if given !~ ',' and members[cardinality(members)] <= top then
    return members;
  end if;
  return array(select distinct case when is_weekday and number = 7 then 0 else number end from unnest(members) number order by 1);
end
$$;
comment on function dba.parse_cron_field(text, text, text, integer, integer, text[]) is
  'The values one field of a cron line stands for, ascending, as dba.cron_spec holds them. given is in capitals; names are those of low, low + 1 and on.';

create function dba.parse_cron_special(cron text, field text, given text, part text, low integer, high integer, names text[])
returns integer
language plpgsql
immutable
parallel safe
as $$
declare
  piece       text[];
  weekday     integer;
  occurrence  integer := 0;
begin
  if field = 'day-of-month' and part = 'L' then
    return 0;
  elsif field = 'day-of-week' then
    piece := regexp_match(part, '^([0-9]+|[A-Z]{3})(?:L|#([0-9]+))$');
  end if;
  if piece is null then
    perform dba.refuse_cron(cron, format(': %s "%s" is not understood', field, part), format('Field %s is "%s".', field, given), case
      when part = '' then 'Write one comma between two values, none at the start or the end.'
      when left(part, 3) = any (names) then format('Write names with three letters: %s.', left(part, 3))
      when part ~ '^/[0-9]+$' then format('Write *%s.', part)
      when part ~ 'W' and field = 'day-of-month' then 'The nearest weekday (W) is not known here: use a calendar, or name the day.'
      when part = 'L' and field = 'day-of-week' then 'Write 5L for the last Friday of the month.'
      when part ~ 'L$' and field = 'day-of-month' then 'Write L alone for the last day of the month.'
      else format('Write *, a number %s-%s, a range such as %s-%s, a step such as */2%s, or several with commas.', low, high, low, low + 2,
                  case when field = 'day-of-week' then ', 5#2 (second Friday), 5L (last Friday), a name such as MON'
                       when field = 'month' then ', a name such as JAN'
                       when field = 'day-of-month' then ', L for the last day' else '' end)
    end);
  end if;
  weekday := dba.parse_cron_value(cron, field, given, piece[1], low, high, names);
  if piece[2] is not null then
    occurrence := dba.cron_number(piece[2]);
    if occurrence not between 1 and 5 then
      perform dba.refuse_cron(cron, format(': occurrence %s is out of range 1-5', piece[2]), format('Field %s is "%s".', field, given),
        format('Write %s#1 for the first of the month, %sL for the last.', piece[1], piece[1]));
    end if;
  end if;
  return 10 * (weekday % 7 + 1) + occurrence;
end
$$;
comment on function dba.parse_cron_special(text, text, text, text, integer, integer, text[]) is
  'What is no value, range or step: L in day-of-month, n#k and nL in day-of-week, as dba.cron_spec holds them. Refuses all else with the hint that fits.';

create function dba.parse_cron_value(cron text, field text, given text, written text, low integer, high integer, names text[])
returns integer
language plpgsql
immutable
parallel safe
as $$
declare
  value  integer;
begin
  if written is null then
    return null;
  elsif written ~ '^[A-Z]' then
    value := array_position(names, written) + low - 1;
    if value is null then
      perform dba.refuse_cron(cron, format(': %s "%s" is not understood', field, written), format('Field %s is "%s".', field, given),
        case when cardinality(names) = 0 then format('Write a number %s-%s.', low, high) else format('Write %s.', array_to_string(names, ', ')) end);
    end if;
    return value;
  end if;
  value := dba.cron_number(written);
  if value not between low and high then
    perform dba.refuse_cron(cron, format(': %s %s is out of range %s-%s', field, written, low, high), format('Field %s is "%s".', field, given),
      case when field = 'hour' and value = 24 then 'Write 0 for midnight.'
           when field in ('minute', 'second') and value = 60 then 'Write 0 for the full one.'
           when field = 'day-of-week' then 'Write 0 to 7 (0 and 7 are Sunday) or a name such as MON.'
           else format('Write %s to %s.', low, high) end);
  end if;
  return value;
end
$$;
comment on function dba.parse_cron_value(text, text, text, text, integer, integer, text[]) is
  'A number or name of a field as its number; null for null. Refuses what is out of range or not a name.';

create function dba.parse_every(cron text, given text)
returns bigint
language plpgsql
immutable
parallel safe
as $$
declare
  longest  constant bigint := 366 * 86400;
  hint     constant text := 'Write whole numbers with units s, m, h, d or w, for example @every 90s, @every 1h30m or @every 2 hours.';
  total    bigint := 0;
  piece    text[];
  factor   integer;
begin
  if given !~ '^([0-9]+ ?[A-Z]+ ?)+$' then
    perform dba.refuse_cron(cron,
      case when given = '' then ': the interval is missing' else format(': "%s" is not an interval', lower(given)) end,
      'An interval follows @every.', hint);
  end if;
  for piece in select regexp_matches(given, '([0-9]+) ?([A-Z]+)', 'g') loop
    factor := case
      when piece[2] in ('S', 'SEC', 'SECS', 'SECOND', 'SECONDS') then 1
      when piece[2] in ('M', 'MIN', 'MINS', 'MINUTE', 'MINUTES') then 60
      when piece[2] in ('H', 'HR', 'HRS', 'HOUR', 'HOURS') then 3600
      when piece[2] in ('D', 'DAY', 'DAYS') then 86400
      when piece[2] in ('W', 'WEEK', 'WEEKS') then 604800
    end;
    if factor is null then
      perform dba.refuse_cron(cron, format(': unit "%s" is not known', lower(piece[2])), format('The interval is "%s".', lower(given)), hint);
    end if;
    total := total + dba.cron_number(piece[1])::bigint * factor;
  end loop;
  if total < 1 then
    perform dba.refuse_cron(cron, format(': interval "%s" is shorter than 1 second', lower(given)),
      'An interval is 1 second to 366 days.', 'Write @every 1s, or @always for a job that runs all the time.');
  elsif total > longest then
    perform dba.refuse_cron(cron, format(': interval "%s" is longer than 366 days', lower(given)),
      'An interval is 1 second to 366 days.', 'Write a calendar line, for example 0 6 1 1 * for each 1 January at 06:00.');
  end if;
  return total;
end
$$;
comment on function dba.parse_every(text, text) is 'The seconds of an @every interval, written in capitals: 90S, 1H30M, 2 HOURS.';

create function dba.cron_number(digits text)
returns integer
language sql
immutable
parallel safe
as $$ select case when length(ltrim(digits, '0')) > 8 then 999999999 else ('0' || ltrim(digits, '0'))::integer end $$;
comment on function dba.cron_number(text) is 'Digits as a number; 999999999 for any that has more than eight.';

create function dba.cron_range_text(first integer, last integer, low integer, names text[])
returns text
language sql
immutable
parallel safe
as $$
  select coalesce(names[first - low + 1], first::text) || case when last > first then '-' || coalesce(names[last - low + 1], last::text) else '' end
$$;
comment on function dba.cron_range_text(integer, integer, integer, text[]) is 'A range as it is written in a field: 5-6, or FRI-SAT where the field has names.';

create function dba.refuse_cron(cron text, problem text, detail text, hint text)
returns void
language plpgsql
immutable
parallel safe
as $$
begin
  raise exception using errcode = '22023',
    message = format('cron "%s"%s', regexp_replace(case when length(cron) > 200 then left(cron, 40) || '...' else cron end, '[\x01-\x1f]', ' ', 'g'), problem),
    detail = detail,
    hint = hint;
end
$$;
comment on function dba.refuse_cron(text, text, text, text) is 'Refuses a cron line: SQLSTATE 22023, the whole line in the message, always with a hint.';

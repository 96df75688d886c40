-- A date that stands in the settings can be judged where it is written; the workers read it by the same grammar (systemscripts/date-format.ts).

create function dba.check_static_date(spec text, format text)
returns text
language plpgsql
immutable
as $$
declare
  formats constant text := regexp_replace(btrim(format), '(^|\s+)round$', '');
  one text;
  piece text[];
  part text;
  pattern text;
  parts text[];
  found text[];
  year integer;
  month integer;
  why text := 'it is not written so';
begin
  foreach one in array regexp_split_to_array(formats, ' [|] ') loop
    pattern := '';
    parts := '{}';
    for piece in select regexp_matches(btrim(one), '(?:(MMMM|MMM|EEEE|EEE)@([A-Za-z-]+))|(yyyy|yy|MMMM|MMM|MM|M|dd|d|EEEE|EEE|HH|H|hh|h|mm|ss|SSS|XXX|a)|(''[^'']*'')|(.)', 'g') loop
      part := coalesce(piece[1], piece[3]);
      parts := parts || part;
      pattern := pattern || case
        when part = 'yyyy' then '([0-9]{4})'
        when part in ('yy', 'MM', 'dd', 'HH', 'hh', 'mm', 'ss') then '([0-9]{2})'
        when part in ('M', 'd', 'H', 'h') then '([0-9]{1,2})'
        when part = 'SSS' then '([0-9]+)'
        when part = 'XXX' then '(Z|[+-][0-9:]+)'
        when part = 'a' then '([AaPp][.]?[Mm][.]?)'
        -- Names of months and weekdays, in 26 languages, are left to the workers.
        when part is not null then '([^0-9]+)'
        when piece[5] ~ '^\s$' then '[\s\u00a0\u202f\u2007-\u2009]*'
        else regexp_replace(coalesce(case piece[4] when '''''' then '''' else substr(piece[4], 2, length(piece[4]) - 2) end, piece[5]), '([^[:alnum:]])', '\\\1', 'g')
      end;
    end loop;
    parts := array_remove(parts, null);
    found := regexp_match(regexp_replace(spec, '^\s+|\s+$', '', 'g'), '^' || pattern || '$');
    if found is not null then
      year := coalesce(found[array_position(parts, 'yyyy')]::integer, found[array_position(parts, 'yy')]::integer + 2000);
      month := coalesce(found[array_position(parts, 'MM')], found[array_position(parts, 'M')])::integer;
      begin
        perform make_date(year, coalesce(month, 1), coalesce(found[array_position(parts, 'dd')], found[array_position(parts, 'd')])::integer);
        return spec;
      exception when datetime_field_overflow then
        why := 'there is no such day';
      end;
    end if;
  end loop;
  perform dba.refuse(format('date_spec "%s" is not a date of the form %s: %s', left(spec, 100), left(check_static_date.format, 100), why),
    'Write the date as date_format says, 20261122 for yyyyMMdd; or say in date_format how it is written: yyyy-MM-dd.');
end
$$;
comment on function dba.check_static_date(text, text) is 'Refuses, in words, a date that is not written as the format says; else returns it.';

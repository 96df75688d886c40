-- What people write about values: parts of sheets, types, formats. Each check refuses in words, else returns what it was given.
-- The readers in systemscripts/ follow the same grammars; systemscripts/values.ts has them in full.

create function dba.check_cell_range(cell_range text)
returns text
language plpgsql
immutable
as $$
declare
  hint constant text := 'Write it as in a spreadsheet: B3:K200, columns B:K, rows 3:200, or B3: for everything from there on.';
  part text[] := regexp_match(upper(replace(cell_range, '$', '')), '^\s*([A-Z]{1,3})?([1-9][0-9]{0,8})?\s*:\s*([A-Z]{1,3})?([1-9][0-9]{0,8})?\s*$');
  first_column constant text := lpad(part[1], 3);
  last_column constant text := lpad(part[3], 3);
begin
  if cell_range is null then
    return null;
  end if;
  if part is null or num_nonnulls(part[1], part[2], part[3], part[4]) = 0 then
    perform dba.refuse(format('cell_range "%s" is no part of a sheet', left(cell_range, 100)), hint);
  elsif part[2]::bigint > part[4]::bigint or first_column > last_column collate "C" then
    perform dba.refuse(format('cell_range "%s" ends before it begins', left(cell_range, 100)), hint);
  end if;
  return cell_range;
end
$$;
comment on function dba.check_cell_range(text) is 'Refuses what is no part of a sheet such as B3:K200, in words; else returns it.';

create function dba.known_type(type text)
returns text
language plpgsql
stable
as $$
declare
  type_id oid;
  kind "char";
  modifier text;
  typmod integer := -1;
  hint constant text := 'Write a type of Postgres: text, integer, numeric(12,2), date, timestamptz, boolean, jsonb; one of your own as schema.type.';
  -- What other databases call it.
  elsewhere constant jsonb := '{"string": "text", "str": "text", "clob": "text", "nvarchar": "varchar", "varchar2": "varchar", "nchar": "char", "number": "numeric", "double": "double precision",
    "int unsigned": "bigint", "tinyint": "smallint", "datetime": "timestamp", "datetime2": "timestamp", "smalldatetime": "timestamp", "datetimeoffset": "timestamptz", "blob": "bytea", "uniqueidentifier": "uuid"}';
  meant constant text := elsewhere ->> lower(btrim(regexp_replace(type, '\(.*$', '')));
begin
  if type is null or btrim(type) = '' then
    return null;
  elsif meant is not null then
    perform dba.refuse(format('there is no type "%s"', left(type, 100)), format('Did you mean "%s"? %s', meant, hint));
  end if;
  begin
    type_id := to_regtype(type);
    select t.typtype into kind from pg_type t where t.oid = type_id;
    modifier := substring(type from '\(([0-9, -]+)\)');
    if modifier is not null and type_id is not null and type_id <> 'interval'::regtype then
      execute format('select %s(%L::cstring[])', (select nullif(t.typmodin, 0) from pg_type t where t.oid = type_id)::oid::regproc, '{' || modifier || '}') into typmod;
    end if;
  exception when others then
    perform dba.refuse(format('type "%s" is not right: %s', left(type, 100), sqlerrm), hint);
  end;
  if type_id is null and lower(type) ~ '^\s*(small|big)?serial[248]?\s*$' then
    perform dba.refuse(format('"%s" is no type but a way to make a column', btrim(type)), 'Write integer or bigint: the values come from the file.');
  elsif type_id is null then
    perform dba.refuse(format('there is no type "%s"', left(type, 100)),
      coalesce('Did you mean "' || dba.nearest_name(left(type, 100), '{text,integer,smallint,bigint,numeric,real,double precision,boolean,date,timestamp,timestamptz,time,interval,uuid,json,jsonb,bytea,varchar,character varying}') || '"? ', '') || hint);
  elsif type_id in ('name'::regtype, '"char"'::regtype) then
    perform dba.refuse(format('type %s cuts values that are too long for it', format_type(type_id, -1)), 'Write text.');
  elsif kind not in ('b', 'd', 'e', 'r', 'm') then
    perform dba.refuse(format('type "%s" is none that a column of a file can have', left(type, 100)), hint);
  end if;
  return case when type_id = 'interval'::regtype then 'interval' else format_type(type_id, typmod) end;
end
$$;
comment on function dba.known_type(text) is 'The name that Postgres has for a type: int becomes integer. Refuses a type that there is not, in words.';

create function dba.check_number_format(format text)
returns text
language plpgsql
immutable
as $$
declare
  hint constant text := 'Write an example with its thousands and decimals, such as 1.234,56 or 1,234.56 or 12,5 %, perhaps followed by the word round.';
  example constant text := regexp_replace(replace(regexp_replace(btrim(format), '(^|\s+)round$', ''), '’', ''''), '[\u00a0\u202f\u2009\u2007]', ' ', 'g');
  body constant text := substring(example from '[0-9].*[0-9]|[0-9]');
  around constant text := replace(example, coalesce(body, ''), ' ');
  unit text;
  why text;
begin
  if example = '' and btrim(format) = 'round' then
    return format;
  end if;
  select u into unit from regexp_split_to_table(around, '[\s()+%-]+') u where u <> '' and u !~ '[[:alpha:]$£€¥₹₽₩₺₴₫₪฿¢¤₱₦₡₲₵₸₼₾₿]' limit 1;
  why := case
    when body is null then 'it is no number'
    when unit is not null then format('"%s" is no sign of a currency or unit', unit)
    when position('%' in around) > 0 and around ~ '[[:alpha:]$£€¥]' then 'it has both a percent sign and a unit'
    when (position('(' in around) > 0) <> (position(')' in around) > 0) then 'one of its parentheses is missing'
    when body ~ '^[1-9][0-9]{0,2}[.,][0-9]{3}$' then format('whether %s is a thousand or more, or has three decimals, nobody can tell', body)
    when body !~ all (array[
      '^[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?$',
      '^[0-9]{1,3}([.][0-9]{3})+(,[0-9]+)?$', '^[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?$', '^[0-9]{1,3}( [0-9]{3})+([.,][0-9]+)?$', '^[0-9]{1,3}(''[0-9]{3})+([.,][0-9]+)?$',
      -- 12,34,567: lakhs
      '^[0-9]{1,2}([.][0-9]{2})+[.][0-9]{3}(,[0-9]+)?$', '^[0-9]{1,2}(,[0-9]{2})+,[0-9]{3}([.][0-9]+)?$', '^[0-9]{1,2}( [0-9]{2})+ [0-9]{3}([.,][0-9]+)?$', '^[0-9]{1,2}(''[0-9]{2})+''[0-9]{3}([.,][0-9]+)?$'])
      then format('%s is not grouped rightly', body)
  end;
  if why is not null then
    perform dba.refuse(format('number format "%s": %s', left(format, 100), why), hint);
  end if;
  return format;
end
$$;
comment on function dba.check_number_format(text) is 'Refuses a number format such as 1.234,56 that cannot be read, in words; else returns it.';

create function dba.check_date_format(format text, for_type text default 'date')
returns text
language plpgsql
immutable
as $$
declare
  hint constant text := 'Build it from yyyy yy MMMM MMM MM M dd d EEE HH H hh h mm ss SSS a XXX; other letters but T and Z stand in quotes: yyyyMMdd, dd.MM.yyyy, d MMM@de yyyy, M/d/yy h:mm a. Several are tried in turn: dd.MM.yyyy | yyyy-MM-dd.';
  languages constant text[] := '{bg,cs,da,de,el,en,es,et,fi,fr,hr,hu,it,lt,lv,nb,nl,pl,pt,ro,ru,sk,sl,sv,tr,uk}';
  formats constant text := regexp_replace(btrim(format), '(^|\s+)round$', '');
  one text;
  piece text[];
  part text;
  parts text[];
  language text;
  former text;
  is_twelve boolean;
  why text;
begin
  if formats = '' and btrim(format) = 'round' and for_type in ('date', 'timestamp', 'time') then
    return format;
  end if;
  if btrim(coalesce(formats, '')) = '' then
    why := 'there is no date in it';
  end if;
  foreach one in array regexp_split_to_array(formats, ' [|] ') loop
    exit when why is not null;
    parts := '{}';
    language := null;
    former := null;
    is_twelve := false;
    for piece in select regexp_matches(btrim(one), '(?:(MMMM|MMM|EEEE|EEE)@([A-Za-z-]+))|(yyyy|yy|MMMM|MMM|MM|M|dd|d|EEEE|EEE|HH|H|hh|h|mm|ss|SSS|XXX|a)|(''[^'']*'')|(.)', 'g') loop
      part := case coalesce(piece[1], piece[3])
        when 'yyyy' then 'year' when 'yy' then 'year' when 'MMMM' then 'month' when 'MMM' then 'month' when 'MM' then 'month' when 'M' then 'month'
        when 'dd' then 'day' when 'd' then 'day' when 'EEEE' then 'weekday' when 'EEE' then 'weekday' when 'HH' then 'hour' when 'H' then 'hour'
        when 'hh' then 'hour' when 'h' then 'hour' when 'mm' then 'minute' when 'ss' then 'second' when 'SSS' then 'fraction' when 'a' then 'half' when 'XXX' then 'zone'
      end;
      why := coalesce(why, case
        when part = any (parts) then format('"%s" is a second %s', coalesce(piece[1], piece[3]), part)
        when piece[2] is not null and piece[2] <> all (languages) then format('@%s is none of the languages %s', piece[2], array_to_string(languages, ' '))
        when piece[2] <> language then format('it has two languages, %s and %s', language, piece[2])
        when piece[5] = '''' then 'a quote is not closed'
        when piece[5] ~ '[A-Za-z]' and piece[5] not in ('T', 'Z') then format('"%s" is no part of a date', piece[5])
        when for_type <> 'interval' and former in ('M', 'd', 'H', 'h', 'SSS') and (coalesce(piece[3], '') ~ '^(yy|yyyy|M|MM|dd?|HH?|hh?|mm|ss|SSS)$' or piece[4] ~ '^''[0-9]' or piece[5] ~ '[0-9]')
          then format('where "%s" ends nobody can tell: digits stand behind it', former)
      end);
      is_twelve := is_twelve or coalesce(piece[3] in ('h', 'hh'), false);
      language := coalesce(piece[2], language);
      former := coalesce(piece[3], '');
      parts := parts || part;
    end loop;
    parts := array_remove(parts, null);
    -- Of a moment only the day is wanted for a dataset: there the half of the day may be missing.
    why := coalesce(why, case
      when for_type in ('day', 'date', 'timestamp') and not '{year}' <@ parts then 'it has no year'
      when for_type in ('day', 'date', 'timestamp') and not '{month}' <@ parts then 'it has no month'
      when for_type in ('day', 'date', 'timestamp') and not '{day}' <@ parts then 'it has no day'
      when for_type = 'time' and not '{hour}' <@ parts then 'it has no hour'
      when for_type = 'time' and parts && '{year,month,day,weekday}' then 'it has a date'
      when for_type = 'interval' and not parts && '{hour,minute,second}' then 'it has no hour, minute or second'
      when for_type = 'interval' and parts && '{year,month,day,weekday,half,zone}' then 'only H, HH, mm, ss and SSS make a length of time'
      when is_twelve <> ('{half}' <@ parts) and not (for_type = 'day' and is_twelve) then 'h and hh go with a (AM, PM), H and HH without'
      when '{fraction}' <@ parts and not '{second}' <@ parts then 'it has a fraction and no second'
      when '{second}' <@ parts and not '{minute}' <@ parts and for_type <> 'interval' then 'it has a second and no minute'
      when '{minute}' <@ parts and not '{hour}' <@ parts and for_type <> 'interval' then 'it has a minute and no hour'
    end);
  end loop;
  if why is not null then
    perform dba.refuse(format('date format "%s": %s', left(format, 100), why), hint);
  end if;
  return format;
end
$$;
comment on function dba.check_date_format(text, text) is 'Refuses a date format that cannot be read or lacks what the type needs (day, date, timestamp, time, interval), in words; else returns it.';

create function dba.check_format(format text, type text)
returns text
language plpgsql
immutable
as $$
declare
  base constant text := btrim(regexp_replace(lower(type), '\s*\([^)]*\)', ''));
  pair text[];
  words text[] := '{}';
begin
  if format is null or btrim(format) = '' then
    return format;
  end if;
  case
    when base in ('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision') then
      perform dba.check_number_format(format);
    when base = 'date' then
      perform dba.check_date_format(format, 'date');
    when base in ('timestamp with time zone', 'timestamp without time zone') then
      perform dba.check_date_format(format, 'timestamp');
    when base = 'time without time zone' then
      perform dba.check_date_format(format, 'time');
    when base = 'interval' then
      perform dba.check_date_format(format, 'interval');
    when base = 'boolean' then
      for pair in select array(select lower(btrim(w)) from regexp_split_to_table(p, '/') w) from regexp_split_to_table(format, ' [|] ') p loop
        if cardinality(pair) <> 2 or '' = any (pair) then
          perform dba.refuse(format('format "%s" is not two words with a slash between them', left(format, 100)), 'Write the word for true, a slash, the word for false: ja/nein, or several pairs: ja/nein | j/n.');
        elsif pair[1] = pair[2] or pair && words or pair[1] = 'false' or pair[2] = 'true' then
          perform dba.refuse(format('format "%s" has a word that would mean both', left(format, 100)), 'Write the word for true, a slash, the word for false: ja/nein, or several pairs: ja/nein | j/n.');
        end if;
        words := words || pair;
      end loop;
    else
      perform dba.refuse(format('type %s takes no format', type), 'Leave format empty; formats are for numbers, dates, times, lengths of time and true or false. To change a text use transform.');
  end case;
  return format;
end
$$;
comment on function dba.check_format(text, text) is 'Refuses a format that the type does not take, in words; else returns it.';

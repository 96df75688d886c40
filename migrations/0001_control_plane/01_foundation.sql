-- What everything else stands on: refusals in words, who is the system, the record every row keeps of itself.

comment on schema dba is 'Rota: every job is a row. Write dba.scheduler and the settings tables dba.<job>config; read dba.next_run, dba.recent_run, dba.problem.';

-- Functions of this schema are for the roles of Rota, also those that later migrations make.
alter default privileges revoke execute on functions from public;
alter default privileges in schema dba grant execute on functions to rota_reader, rota_worker;

create table dba.migration (
  migration_number  integer      primary key,
  name              text         not null,
  checksum          text         not null,
  applied_at        timestamptz  not null default clock_timestamp(),
  applied_by        text         not null default session_user
);
comment on table dba.migration is 'Applied migrations, one row each. Written by rota migrate; a file that was changed after it was applied is refused by its checksum.';
comment on column dba.migration.migration_number is 'The number the file or folder begins with: 1 for 0001_control_plane.';
comment on column dba.migration.name is 'Name of the file or folder under migrations/.';
comment on column dba.migration.checksum is 'sha256 over the text of all its parts, in hexadecimal.';
comment on column dba.migration.applied_at is 'When it was applied here.';
comment on column dba.migration.applied_by is 'The login that applied it.';

create function dba.refuse(message text, hint text, detail text default null, code text default '22023')
returns void
language plpgsql
as $$
begin
  if detail is null then
    raise exception using message = message, hint = hint, errcode = code;
  end if;
  raise exception using message = message, hint = hint, detail = detail, errcode = code;
end
$$;
comment on function dba.refuse(text, text, text, text) is 'Ends a statement with a message, a hint, a detail and an SQLSTATE. Used by triggers; people never call it.';

create function dba.is_system()
returns boolean
language sql
stable
as $$ select current_user in ('rota_worker', 'rota_owner') $$;
comment on function dba.is_system() is 'True for the workers and for functions that act for them; false for people, superusers included.';

create function dba.name_list(names text[])
returns text
language sql
immutable
as $$
  select case
    when cardinality(names) is null or cardinality(names) = 0 then 'none'
    when cardinality(names) <= 12 then (select string_agg(format('"%s"', n), ', ' order by n) from unnest(names) n)
    else (select string_agg(format('"%s"', n), ', ' order by n) from (select n from unnest(names) n order by n limit 12) f)
         || format(' and %s more', cardinality(names) - 12)
  end
$$;
comment on function dba.name_list(text[]) is 'Names as a person reads them: quoted, in order, at most twelve.';

create function dba.nearest_name(wanted text, names text[])
returns text
language sql
immutable
as $$
  -- Shares of two-letter pieces (Dice): cheap, needs no extension, and forgives swapped or missing letters.
  with pieces as (
    select n, array(select distinct substr(lower(n), g, 2) from generate_series(1, greatest(length(n) - 1, 1)) g) as piece
    from unnest(names) n
  ), mine as (
    select array(select distinct substr(lower(wanted), g, 2) from generate_series(1, greatest(length(wanted) - 1, 1)) g) as piece
  ), scored as (
    select n, 2.0 * cardinality(array(select unnest(p.piece) intersect select unnest(m.piece))) / (cardinality(p.piece) + cardinality(m.piece)) as score
    from pieces p, mine m
  )
  select n from scored where score >= 0.45 order by score desc, n limit 1
$$;
comment on function dba.nearest_name(text, text[]) is 'The name that was probably meant, or null when none is near.';

create function dba.known_names_hint(wanted text, names text[])
returns text
language sql
immutable
as $$
  select coalesce('Did you mean "' || dba.nearest_name(left(wanted, 100), names) || '"? ', '') || format('There is: %s.', dba.name_list(names))
$$;
comment on function dba.known_names_hint(text, text[]) is 'The hint for a name that does not exist: the nearest one, and the list.';

create function dba.keep_record()
returns trigger
language plpgsql
as $$
declare
  system_columns constant text[] := tg_argv[0]::text[];
  refreshed constant text[] := array['created_at', 'created_by', 'updated_at', 'updated_by', 'version'];
  before jsonb;
  after jsonb;
  touched text;
begin
  if tg_op = 'INSERT' then
    new.created_at := clock_timestamp();
    new.created_by := session_user;
    new.updated_at := new.created_at;
    new.updated_by := session_user;
    new.version := 1;
    return new;
  end if;
  before := to_jsonb(old);
  after := to_jsonb(new);
  select key into touched
  from jsonb_object_keys(after) as key
  where (key = any (system_columns) or key = any (refreshed)) and before -> key is distinct from after -> key
  order by key
  limit 1;
  if touched is not null and not dba.is_system() then
    perform dba.refuse(
      format('column "%s" of %I.%I is kept by Rota', touched, tg_table_schema, tg_table_name),
      'Leave that column out of your UPDATE: it is answered or counted by the system. Change the columns that say what you want instead.',
      null, '42501');
  end if;
  if before - system_columns - refreshed is distinct from after - system_columns - refreshed then
    new.version := old.version + 1;
    new.updated_at := clock_timestamp();
    new.updated_by := session_user;
  end if;
  return new;
end
$$;
comment on function dba.keep_record() is 'BEFORE trigger of every table that people write: keeps created, updated and version, and refuses an UPDATE of what is the system''s.';

create function dba.say_why()
returns trigger
language plpgsql
as $$
declare
  tests text;
  broken text;
  missing text;
  seen text;
  hint text;
begin
  select string_agg(format('case when not (%s) then %L end', pg_get_expr(conbin, conrelid), conname), ', ' order by conname)
  into tests
  from pg_constraint
  where conrelid = tg_relid and contype = 'c';

  select attname
  into missing
  from pg_attribute
  where attrelid = tg_relid and attnum > 0 and attnotnull and not attisdropped and attidentity = ''
    and to_jsonb(new) -> attname::text = 'null'::jsonb
  order by attnum
  limit 1;
  if missing is not null then
    select col_description(tg_relid, attnum) into hint from pg_attribute where attrelid = tg_relid and attname = missing;
    raise not_null_violation using
      message = format('column "%s" of %I.%I must not be empty', missing, tg_table_schema, tg_table_name),
      hint = coalesce(hint, 'Give it a value.'),
      column = missing, table = tg_table_name, schema = tg_table_schema;
  end if;

  if tests is not null then
    execute format('select (array_remove(array[%s]::text[], null))[1] from (select ($1).*) as row_to_write', tests) into broken using new;
    if broken is not null then
      select obj_description(k.oid, 'pg_constraint'),
        (select string_agg(format('%s is %s', a.attname, left((to_jsonb(new) -> a.attname::text)::text, 100)), ', ' order by a.attnum)
         from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey))
      into hint, seen
      from pg_constraint k
      where k.conrelid = tg_relid and k.conname = broken;
      raise check_violation using
        message = format('%I.%I: %s', tg_table_schema, tg_table_name, replace(broken, '_', ' ')),
        detail = format('This row breaks the rule "%s": %s.', broken, seen),
        hint = coalesce(hint, 'Correct the row.'),
        constraint = broken, table = tg_table_name, schema = tg_table_schema;
    end if;
  end if;
  return new;
end
$$;
comment on function dba.say_why() is 'BEFORE trigger, last by name: reads the table''s CHECK and NOT NULL rules from the catalog and refuses a row in words, with the rule''s comment as HINT.';

create function dba.parse_moment(moment text, time_zone text)
returns timestamptz
language plpgsql
stable
as $$
declare
  written text := lower(btrim(moment));
begin
  if written = 'now' then
    return statement_timestamp();
  end if;
  if written ~ '^\d{1,2}:\d{2}' then
    written := 'today ' || written;
  end if;
  if written ~ '^(yesterday|today|tomorrow)\M' then
    -- Postgres would take today from the zone of the session.
    written := ((statement_timestamp() at time zone time_zone)::date + case split_part(written, ' ', 1) when 'yesterday' then -1 when 'tomorrow' then 1 else 0 end)
      || regexp_replace(written, '^\w+', '');
  end if;
  -- What stands behind the time of day is an offset or a zone.
  if written ~ ':\d{2}([.]\d+)?(\s*[ap]m)?\s*(z|[+-]\d{1,2}(:?\d{2})?|[a-z]+/[a-z_/]+|(?!am$|pm$|ad$|bc$)[a-z]{2,5})$' then
    return written::timestamptz;
  end if;
  return written::timestamp at time zone time_zone;
exception
  when datetime_field_overflow or invalid_datetime_format or invalid_text_representation or invalid_parameter_value then
    perform dba.refuse(
      format('"%s" is not a moment', moment),
      format('Write it as 2026-12-24 06:20 (then it means %s) or with an offset, as 2026-12-24 06:20+01.', time_zone));
end
$$;
comment on function dba.parse_moment(text, text) is 'A time that a person typed: 2026-12-24 06:20, 18:30, tomorrow 06:00, now. Without an offset it means the given zone: dba.parse_moment(''2026-12-24 06:20'', ''Europe/Warsaw'').';

create function dba.this_home()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$ select format('%s/%s', (select system_identifier from pg_control_system()), (select oid from pg_database where datname = current_database())) $$;
comment on function dba.this_home() is 'Names this cluster and database, as dba.setting.home does. A restored copy has another one and stays still.';

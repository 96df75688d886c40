-- The jobs without a settings table: what they need stands in args.

insert into dba.job (job, description, args_allowed) values
  ('noop', 'Does nothing for args.seconds, fails when args.fail says so: for trying out a schedule.', '{seconds,fail,fail_permanently,note}'),
  ('sql', 'Runs args.statement on args.connection (default: this database, as rota_job), in one transaction unless args.in_transaction is false.', '{statement,connection,in_transaction}'),
  ('program', 'Runs args.program, an executable inside ROTA_PROGRAM_DIR, with an array of arguments, never a shell; what it starts ends with it.', '{program,arguments,environment}');

-- Values of args. dba.check_args calls dba.check_args_of_<job> with all that a run would get.

create function dba.refuse_arg(job text, key text, args jsonb, wanted text, example text)
returns void
language plpgsql
immutable
as $$
begin
  perform dba.refuse(
    case when args ? key
      then format('args.%s of job "%s" is %s', key, job, left(args ->> key, 100))
      else format('job "%s" needs args.%s', job, key)
    end,
    format('It must be %s: %s', wanted, example));
end
$$;
comment on function dba.refuse_arg(text, text, jsonb, text, text) is 'Refuses a value of args in words: what stands there, what must, an example. Used by checks of args.';

create function dba.check_args_of_noop(args jsonb)
returns void
language plpgsql
stable
as $$
begin
  if args ? 'seconds' and not coalesce(jsonb_typeof(args -> 'seconds') = 'number' and (args ->> 'seconds')::numeric between 0 and 31622400, false) then
    perform dba.refuse_arg('noop', 'seconds', args, 'a number from 0 to 31622400', '{"seconds": 5}');
  end if;
  if args ? 'fail' and jsonb_typeof(args -> 'fail') not in ('boolean', 'string') then
    perform dba.refuse_arg('noop', 'fail', args, 'true or a message', '{"fail": "the disk is full"}');
  end if;
  if args ? 'fail_permanently' and jsonb_typeof(args -> 'fail_permanently') not in ('boolean', 'string') then
    perform dba.refuse_arg('noop', 'fail_permanently', args, 'true or a message', '{"fail_permanently": true}');
  end if;
  if args ? 'note' and jsonb_typeof(args -> 'note') <> 'string' then
    perform dba.refuse_arg('noop', 'note', args, 'a text', '{"note": "trying it out"}');
  end if;
end
$$;
comment on function dba.check_args_of_noop(jsonb) is 'Refuses wrong args of job noop: {"seconds": 5, "fail": "message"}.';

create function dba.check_args_of_sql(args jsonb)
returns void
language plpgsql
stable
as $$
declare
  kind_found text;
begin
  if jsonb_typeof(args -> 'statement') is distinct from 'string' or btrim(args ->> 'statement', E' \t\r\n;') = '' then
    perform dba.refuse_arg('sql', 'statement', args, 'SQL', '{"statement": "refresh materialized view feeds.daily"}');
  end if;
  if args ? 'in_transaction' and jsonb_typeof(args -> 'in_transaction') <> 'boolean' then
    perform dba.refuse_arg('sql', 'in_transaction', args, 'true or false', '{"statement": "vacuum feeds.price", "in_transaction": false}');
  end if;
  if args ? 'connection' and jsonb_typeof(args -> 'connection') <> 'null' then
    if jsonb_typeof(args -> 'connection') <> 'string' then
      perform dba.refuse_arg('sql', 'connection', args, 'the name of a row of dba.connection', '{"statement": "call close_day()", "connection": "warehouse"}');
    end if;
    select kind into kind_found from dba.connection where connection_name = args ->> 'connection';
    if not found then
      perform dba.refuse(
        format('no connection "%s"', args ->> 'connection'),
        'Insert it into dba.connection first. ' || dba.known_names_hint(args ->> 'connection', array(select connection_name from dba.connection where kind = 'postgres')),
        null, '23503');
    end if;
    if kind_found <> 'postgres' then
      perform dba.refuse(
        format('connection "%s" is of kind %s', args ->> 'connection', kind_found),
        'Job sql takes a connection of kind postgres; leave it out for this database. ' || dba.known_names_hint(args ->> 'connection', array(select connection_name from dba.connection where kind = 'postgres')));
    end if;
  end if;
end
$$;
comment on function dba.check_args_of_sql(jsonb) is 'Refuses wrong args of job sql: {"statement": "…", "connection": "name of a postgres connection", "in_transaction": true}.';

create function dba.check_args_of_program(args jsonb)
returns void
language plpgsql
stable
as $$
declare
  odd text;
begin
  if jsonb_typeof(args -> 'program') is distinct from 'string' or btrim(args ->> 'program') = '' then
    perform dba.refuse_arg('program', 'program', args, 'a path inside ROTA_PROGRAM_DIR', '{"program": "close-day.sh", "arguments": ["--dry-run"]}');
  end if;
  if args ->> 'program' ~ '^([/\\]|[A-Za-z]:)' or args ->> 'program' ~ '(^|[/\\])[.][.]([/\\]|$)' or args ->> 'program' ~ '[[:cntrl:]]' then
    perform dba.refuse(
      format('program "%s" does not stay inside ROTA_PROGRAM_DIR', left(args ->> 'program', 100)),
      'Write its path relative to that folder, without "..": {"program": "reports/close-day.sh"}.');
  end if;
  if args ? 'arguments' then
    if jsonb_typeof(args -> 'arguments') <> 'array' or exists (select from jsonb_array_elements(case when jsonb_typeof(args -> 'arguments') = 'array' then args -> 'arguments' else '[]' end) a where jsonb_typeof(a) <> 'string') then
      perform dba.refuse_arg('program', 'arguments', args, 'an array of texts, one per argument', '{"arguments": ["--day", "2026-12-24"]}');
    end if;
  end if;
  if args ? 'environment' then
    if jsonb_typeof(args -> 'environment') <> 'object' or exists (select from jsonb_each(case when jsonb_typeof(args -> 'environment') = 'object' then args -> 'environment' else '{}' end) e where jsonb_typeof(e.value) <> 'string') then
      perform dba.refuse_arg('program', 'environment', args, 'an object of texts', '{"environment": {"REGION": "north"}}');
    end if;
    select key into odd from jsonb_object_keys(args -> 'environment') key where key !~ '^[A-Za-z_][A-Za-z0-9_]*$' order by key limit 1;
    if odd is not null then
      perform dba.refuse(format('"%s" is no name for an environment variable', odd), 'Write letters, digits and underscores, no digit first: {"environment": {"REGION": "north"}}.');
    end if;
    -- What loads code into a program, leads it to other programs, belongs to Rota, or is a secret. jobs/program.ts refuses the same.
    select key into odd
    from jsonb_object_keys(args -> 'environment') key
    where key ~* '^(ROTA_|DATABASE_URL$|PATH$|LD_|DYLD_|BASH_|ENV$|IFS$|SHELLOPTS$|PS4$|PYTHON|PERL|RUBY|NODE_|JAVA_TOOL_OPTIONS$|_JAVA_OPTIONS$|JDK_JAVA_OPTIONS$|GCONV_PATH$)'
       or key ~* '(password|passwd|secret|token|api_?key)'
    order by key
    limit 1;
    if odd is not null then
      perform dba.refuse(
        format('args of job "program" may not set %s', odd),
        'Let the program read secrets and search paths from a file of its own that only its user may read.');
    end if;
  end if;
end
$$;
comment on function dba.check_args_of_program(jsonb) is 'Refuses wrong args of job program: {"program": "path inside ROTA_PROGRAM_DIR", "arguments": ["…"], "environment": {"NAME": "text"}}.';

select dba.pin_search_path();

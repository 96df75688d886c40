-- Expressions that people write: regular ones, transforms, SQL. Each check refuses in words, else returns what it was given.

create function dba.reads_everywhere(pattern text)
returns boolean
language sql
immutable
as $$ select pattern !~ '\[\[[:.=]|\\[mMyYAZ]|\(\?(?!:|=|!|<=|<!)|^\*\*\*' $$;
comment on function dba.reads_everywhere(text) is 'False for a regular expression with what only Postgres knows: [[:alpha:]], \m, (?i). The workers read it as well.';

create function dba.check_transform(transform text)
returns text
language plpgsql
immutable
as $$
declare
  hint constant text := 'Join steps by |: trim, upper, lower, collapse, digits, nullif_blank, prefix("x"), suffix("x"), lpad(5, "0"), replace("a", "b"), regexp_replace(/[^0-9]+/g, ""), date("dd.MM.yyyy").';
  quoted constant text := '\s*"(?:[^"\\]|\\.)*"\s*';
  one_step constant text := format('^\s*(trim|upper|lower|collapse|digits|nullif_blank|(?:prefix|suffix|date)\s*[(]%1$s[)]|lpad\s*[(]\s*[0-9]{1,4}\s*,%1$s[)]|replace\s*[(]%1$s,%1$s[)]|regexp_replace\s*[(]\s*/(?:[^/\\[]|\\.|\[(?:[^]\\]|\\.)*\])+/[gi]{0,2}\s*,%1$s[)])\s*($|[|,].*$)', quoted);
  rest text := transform;
  step text[];
  pattern text;
begin
  if transform is null or btrim(transform) = '' then
    return transform;
  end if;
  loop
    step := regexp_match(rest, one_step, 'i');
    if step is null then
      perform dba.refuse(
        case when btrim(rest) = '' then format('transform "%s" lacks a step at its end', left(transform, 100))
          else format('transform "%s" cannot be read from "%s" on', left(transform, 100), left(btrim(rest), 40)) end, hint);
    end if;
    pattern := substring(step[1] from '^[A-Za-z_]+\s*[(]\s*/((?:[^/\\[]|\\.|\[(?:[^]\\]|\\.)*\])+)/');
    if length(pattern) > 200 then
      perform dba.refuse(format('the expression in transform "%s…" is longer than 200 characters', left(transform, 60)), 'Write a shorter one, or two steps.');
    elsif lower(step[1]) ~ '^date' then
      perform dba.check_date_format(replace(substring(step[1] from '"(.*)"'), '\"', '"'), 'day');
    end if;
    exit when step[2] = '';
    rest := substr(step[2], 2);
  end loop;
  return transform;
end
$$;
comment on function dba.check_transform(text) is 'Refuses a transform such as trim | upper that cannot be read, in words; else returns it. Regular expressions in it are JavaScript''s, and the workers judge them.';

-- Parsed by PL/pgSQL's own check, which looks at the grammar alone: no name is looked up and nothing runs, since the block has returned before.
create function dba.check_expression(expression text)
returns text
language plpgsql
set check_function_bodies = on
as $$
declare
  wrapper text;
begin
  if expression is null then
    return null;
  end if;
  if btrim(expression) = '' then
    perform dba.refuse('the expression is blank', 'Write what is true of good rows: price > 0; or a query over staging: select sum(price) > 0 from staging.');
  end if;
  -- What is right in two settings that close differently cannot break out of either.
  foreach wrapper in array case when expression ~* '^\s*select\M'
    then array['declare c cursor for %s' || E'\n; begin end', 'begin return; perform (%s' || E'\n); end']
    else array['begin return; perform case when %s' || E'\n then 1 end; end', 'begin return; perform (%s' || E'\n); end'] end
  loop
    begin
      execute format('do %L', format(wrapper, expression));
    exception when others then
      -- What comes behind the expression in the wrapper is not the person's.
      perform dba.refuse(format('expression "%s" is not right: %s', left(expression, 100),
          case when sqlerrm ~ 'at or near "(then|\))"$' and expression !~ '[)]\s*$' and expression !~* '\mthen\s*$' then 'something is missing at its end'
            else regexp_replace(sqlerrm, E' at or near "[^"]*\n.*$', '') end),
        'Write a condition that is true of good rows, without a semicolon: price > 0 and currency is not null. Or a query over the rows of the file, whose one value is true when all is well: select sum(price) > 0 from staging.');
    end;
  end loop;
  return expression;
end
$$;
comment on function dba.check_expression(text) is 'Refuses what is not one SQL expression, or one select, in words and without running it; else returns it.';

create function dba.check_member_pattern(pattern text)
returns boolean
language plpgsql
immutable
as $$
begin
  if pattern ~ '^/.+/$' then
    perform dba.check_regex(substring(pattern from '^/(.+)/$'), 'member_pattern');
  else
    perform dba.check_glob(pattern);
  end if;
  return true;
end
$$;
comment on function dba.check_member_pattern(text) is 'Refuses in words what is neither a glob nor /a regular expression/.';

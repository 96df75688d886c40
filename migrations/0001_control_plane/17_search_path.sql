-- PL/pgSQL keeps the types of a function's variables as the first call of a session found them. A caller who put a type of their own in front of
-- text or jsonb would so have it used later on, when the owner's rights are in force: every such function keeps to a search path of its own.

create function dba.pin_search_path()
returns integer
language plpgsql
as $$
declare
  loose pg_catalog.text;
  pinned integer := 0;
begin
  for loose in
    select p.oid::regprocedure::text
    from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
    where p.pronamespace = 'dba'::regnamespace and l.lanname = 'plpgsql'
      and not exists (select from unnest(p.proconfig) as c where c like 'search\_path=%')
  loop
    execute format('alter function %s set search_path = pg_catalog, pg_temp', loose);
    pinned := pinned + 1;
  end loop;
  return pinned;
end
$$;
comment on function dba.pin_search_path() is 'For migrations, as their last statement: gives every PL/pgSQL function of schema dba a search path that no caller can change. Returns how many it gave one.';
select dba.pin_search_path();

-- Connections that something stands on are tried again by themselves.

create function dba.connections_in_use()
returns setof text
language plpgsql
stable
as $$
declare
  named record;
begin
  for named in
    select c.conrelid::regclass as table_name, a.attname as column_name
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.contype = 'f' and c.confrelid = 'dba.connection'::regclass
  loop
    return query execute format($q$select t.%1$I from %2$s t where t.%1$I is not null and to_jsonb(t) ->> 'is_active' is distinct from 'false'$q$,
      named.column_name, named.table_name);
  end loop;
  return query
    select s.args ->> 'connection' from dba.scheduler s where s.is_active and s.args ? 'connection'
    union all
    select unnest(s.alert_to) from dba.scheduler s where s.is_active
    union all
    select btrim(u) from dba.setting t cross join unnest(string_to_array(t.value, ',')) u where t.name in ('mail_connection', 'alert_to');
end
$$;
comment on function dba.connections_in_use() is 'Names that configs and schedules that are active, and settings, give as a connection: select * from dba.connection where connection_name in (select dba.connections_in_use()).';

create function dba.connections_to_try(of_lanes text[], at timestamptz default statement_timestamp(), most integer default 20)
returns setof text
language sql
stable
as $$
  (select k.connection_name from dba.connection k
   where k.lane = any (of_lanes) and k.check_state in ('asked', 'unchecked')
   order by k.check_state, k.connection_name)
  union all
  (select k.connection_name
   from dba.connection k
   join dba.setting t on t.name = 'connection_check' and t.value is not null
   cross join lateral (
     -- Those that were made together are not tried together: each has a pace of its own, up to a tenth off.
     select k.checked_at + case k.check_state when 'failed' then least(t.value::interval, interval '5 minutes')
       else t.value::interval * (0.9 + 0.2 * (abs(hashtext(k.connection_name || k.checked_at::text)::bigint) % 1000) / 1000) end as due_at
   ) d
   where k.lane = any (of_lanes) and k.check_state in ('ok', 'failed') and d.due_at <= connections_to_try.at and dba.is_home()
     and k.connection_name in (select dba.connections_in_use())
   order by d.due_at
   limit most)
$$;
comment on function dba.connections_to_try(text[], timestamptz, integer) is 'Connections of these lanes that a worker tries now: those that somebody asked about or changed, and some of those whose last trial is dba.setting.connection_check ago, or 5 minutes where it failed.';

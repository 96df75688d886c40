-- Who changed what: every change of a row that people write, and the way back.

create table dba.configaudit (
  audit_id        bigint       primary key generated always as identity,
  changed_at      timestamptz  not null default clock_timestamp(),
  changed_by      text         not null default session_user,
  transaction_id  bigint       not null,
  table_name      text         not null,
  row_key         text         not null,
  version         integer,
  before          jsonb,
  after           jsonb,
  application     text,
  client          text
);
comment on table dba.configaudit is 'Every change of a schedule, config, lane, calendar, connection or setting, with the row before and after. Undo one: select dba.restore(audit_id). Undo a bulk UPDATE: select dba.restore(audit_id) from dba.configaudit where transaction_id = ….';
comment on column dba.configaudit.audit_id is 'Order of the changes.';
comment on column dba.configaudit.changed_at is 'When.';
comment on column dba.configaudit.changed_by is 'Who: the login.';
comment on column dba.configaudit.transaction_id is 'Changes of one transaction share it.';
comment on column dba.configaudit.table_name is 'Table in schema dba.';
comment on column dba.configaudit.row_key is 'Name of the row, as it was before the change.';
comment on column dba.configaudit.version is 'Version of the row after the change; runs carry it as config_version.';
comment on column dba.configaudit.before is 'The row before; null: it was inserted.';
comment on column dba.configaudit.after is 'The row after; null: it was deleted.';
comment on column dba.configaudit.application is 'Program that sent the statement.';
comment on column dba.configaudit.client is 'Address it came from; null: from this machine''s socket.';
create index configaudit_by_row on dba.configaudit (table_name, row_key, audit_id desc);
create index configaudit_by_transaction on dba.configaudit (transaction_id);
create index configaudit_by_schedule on dba.configaudit ((before ->> 'schedule_id'), audit_id) where table_name = 'scheduler';

create function dba.audit_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  name_column constant text := tg_argv[0];
  system_columns constant text[] := tg_argv[1]::text[] || array['created_at', 'created_by', 'updated_at', 'updated_by', 'version'];
  row_before jsonb;
  row_after jsonb;
begin
  if tg_op <> 'INSERT' then row_before := to_jsonb(old); end if;
  if tg_op <> 'DELETE' then row_after := to_jsonb(new); end if;
  if row_before - system_columns is not distinct from row_after - system_columns then
    return null;
  end if;
  insert into dba.configaudit (changed_by, transaction_id, table_name, row_key, version, before, after, application, client)
  values (
    session_user, pg_current_xact_id()::text::bigint, tg_table_name,
    (select string_agg(coalesce(row_before, row_after) ->> c, ', ' order by o) from unnest(string_to_array(name_column, ',')) with ordinality as k (c, o)),
    (coalesce(row_after, row_before) ->> 'version')::integer,
    row_before, row_after,
    nullif(current_setting('application_name'), ''), host(inet_client_addr()));
  return null;
end
$$;
comment on function dba.audit_change() is 'AFTER trigger of every table that people write: records the change unless only answers of the system changed.';

create function dba.restore(audit_id bigint)
returns text
language plpgsql
as $$
declare
  entry dba.configaudit;
  target regclass;
  keys text[];
  columns text[];
  found_rows integer;
begin
  select * into entry from dba.configaudit a where a.audit_id = restore.audit_id;
  if not found then
    perform dba.refuse(format('no change %s in dba.configaudit', restore.audit_id), 'Look for it: select * from dba.configaudit order by audit_id desc.');
  end if;
  target := format('dba.%I', entry.table_name)::regclass;

  select array_agg(a.attname::text order by a.attnum) into keys
  from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = target and i.indisprimary;

  if entry.before is null then
    execute format('delete from %1$s where (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, $1))',
      target, (select string_agg(quote_ident(k), ', ') from unnest(keys) k))
    using entry.after;
    get diagnostics found_rows = row_count;
    return format('%s "%s": %s', entry.table_name, entry.row_key, case when found_rows = 1 then 'deleted again' else 'was gone already' end);
  end if;

  -- What Rota keeps and answers itself is left out: it would be refused, and is computed anew.
  select array_agg(a.attname::text order by a.attnum) into columns
  from pg_attribute a
  where a.attrelid = target and a.attnum > 0 and not a.attisdropped
    and (a.attidentity = '' or entry.after is null)
    and a.attname <> all (dba.kept_columns(entry.table_name));

  if entry.after is not null then
    execute format('update %1$s as t set (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, $1)) where (%3$s) = (select %4$s from jsonb_populate_record(null::%1$s, $2))',
      target,
      (select string_agg(quote_ident(c), ', ') from unnest(columns) c),
      (select string_agg('t.' || quote_ident(k), ', ') from unnest(keys) k),
      (select string_agg(quote_ident(k), ', ') from unnest(keys) k))
    using entry.before, entry.after;
    get diagnostics found_rows = row_count;
    if found_rows = 1 then
      return format('%s "%s": as before change %s', entry.table_name, entry.row_key, restore.audit_id);
    end if;
  end if;

  execute format('insert into %1$s (%2$s) overriding system value select %2$s from jsonb_populate_record(null::%1$s, $1)',
    target, (select string_agg(quote_ident(c), ', ') from unnest(columns || case when entry.after is null then '{}' else keys end) c))
  using entry.before;
  return format('%s "%s": inserted again as before change %s', entry.table_name, entry.row_key, restore.audit_id);
end
$$;
comment on function dba.restore(bigint) is 'Puts a row back as it was before that change: select dba.restore(123). Rules and rights apply as to any other write.';

-- The columns of a table that people write which Rota keeps itself: answers and counters, besides created_*, updated_* and version.
create function dba.answered_columns(table_name text)
returns text[]
language sql
immutable
as $$
  select case table_name
    when 'scheduler' then '{next_fire_at,next_fires,explained,config_state,config_message,paused_by,generated_by}'
    when 'lane' then '{paused_by}'
    when 'connection' then '{checked_at,check_state,check_message,tried_until}'
    else '{}'
  end::text[]
$$;
comment on function dba.answered_columns(text) is 'Columns of a table that people write which the system answers.';

create function dba.kept_columns(table_name text)
returns text[]
language sql
immutable
as $$ select dba.answered_columns(table_name) || '{created_at,created_by,updated_at,updated_by,version}'::text[] $$;
comment on function dba.kept_columns(text) is 'Columns of a table that people write which only the system writes.';

-- The settings tables of jobs: their rows in the registry, and what they were in each version, since a run keeps the terms it was queued under.

create table dba.configversion (
  job          text         not null references dba.job (job) on update cascade on delete cascade,
  config_name  text         not null,
  version      integer      not null,
  settings     jsonb        not null,
  saved_at     timestamptz  not null default clock_timestamp(),
  primary key (job, config_name, version)
);
comment on table dba.configversion is 'What a config was in each version, with the rows beside it: select settings from dba.configversion where config_name = ''prices'' and version = 3. Runs carry the version as config_version. Who changed what: dba.configaudit. How long former ones stay: dba.setting.retention_configversion.';
comment on column dba.configversion.job is 'The job.';
comment on column dba.configversion.config_name is 'Row of its settings table, as it is named now.';
comment on column dba.configversion.version is 'Version of the config: every change of it, or of a row beside it, makes another one.';
comment on column dba.configversion.settings is 'The row; and under the name of each table that refers to it, such as importcolumn, a list of its rows there.';
comment on column dba.configversion.saved_at is 'When that version came.';
comment on constraint configversion_job_fkey on dba.configversion is 'The job must stand in dba.job.';

create function dba.register_config()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  of_job constant text := tg_argv[0];
  users text[];
begin
  if tg_op = 'INSERT' then
    insert into dba.jobconfig (job, config_name, is_active, version) values (of_job, new.config_name, new.is_active, new.version);
    return new;
  end if;
  if tg_op = 'DELETE' then
    select array_agg(schedule_name order by schedule_name) into users from dba.scheduler where job = of_job and config_name = old.config_name;
    if users is not null then
      perform dba.refuse(
        format('config "%s" of job "%s" is used by schedule %s', old.config_name, of_job, dba.name_list(users)),
        'Delete those schedules first, or switch the config off: is_active = false.', null, '23503');
    end if;
    delete from dba.jobconfig where job = of_job and config_name = old.config_name;
    return old;
  end if;
  if new.config_name <> old.config_name then
    update dba.jobconfig set config_name = new.config_name where job = of_job and config_name = old.config_name;
  end if;
  update dba.jobconfig set is_active = new.is_active, version = new.version
  where job = of_job and config_name = new.config_name and (is_active, version) is distinct from (new.is_active, new.version);
  return new;
end
$$;
comment on function dba.register_config() is 'Keeps dba.jobconfig in step with a settings table; a rename takes its schedules along at once.';

create function dba.rename_config()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  of_job constant text := tg_argv[0];
begin
  update dba.bookmark set config_name = new.config_name where job = of_job and config_name = old.config_name;
  update dba.bookmarkhistory set config_name = new.config_name where job = of_job and config_name = old.config_name;
  update dba.file set config_name = new.config_name where job = of_job and config_name = old.config_name;
  update dba.dataset set config_name = new.config_name where job = of_job and config_name = old.config_name;
  update dba.columnproposal set config_name = new.config_name where job = of_job and config_name = old.config_name;
  delete from dba.configversion where job = of_job and config_name = new.config_name;
  update dba.configversion set config_name = new.config_name where job = of_job and config_name = old.config_name;
  -- A schedule that has the former name now means another config, which took it in the same transaction.
  update dba.run r set config_name = new.config_name
  where r.job = of_job and r.config_name = old.config_name and r.state in ('planned', 'waiting', 'queued', 'running')
    and not exists (select from dba.scheduler s where s.schedule_id = r.schedule_id and s.job = of_job and s.config_name = old.config_name);
  return null;
end
$$;
comment on function dba.rename_config() is 'Gives bookmarks, files, datasets, proposals, former versions and the runs that are planned or open the new name of their config.';

create function dba.adopt_config_table(job text)
returns void
language plpgsql
as $$
declare
  table_name constant text := (select config_table from dba.job j where j.job = adopt_config_table.job);
begin
  perform dba.adopt_people_table(table_name, 'config_name');
  execute format('create trigger register before delete on dba.%I for each row execute function dba.register_config(%L)', table_name, job);
  execute format('create trigger register_after after insert or update on dba.%I for each row when (current_user <> ''rota_worker'') execute function dba.register_config(%L)', table_name, job);
  -- At the commit: while the transaction is open, perhaps for hours in a client, no run waits for a row of it.
  execute format('create constraint trigger rename_config after update on dba.%I deferrable initially deferred for each row when (new.config_name <> old.config_name and current_user <> ''rota_worker'') execute function dba.rename_config(%L)', table_name, job);
  -- At the commit too, after rename_config by its name: what a transaction did to a config and to the rows beside it is one version.
  execute format('create constraint trigger save_version after insert or update on dba.%I deferrable initially deferred for each row when (current_user <> ''rota_worker'') execute function dba.save_config_version(%L)', table_name, job);
end
$$;
comment on function dba.adopt_config_table(text) is 'For migrations: makes dba.<job>config a settings table: select dba.adopt_config_table(''import'').';

create function dba.settings_of(of_job text, of_config text, of_version integer default null)
returns jsonb
language plpgsql
stable
as $$
begin
  -- What is kept is what it is; it takes a fiftieth of the time. In a transaction that has changed the config it is not kept yet.
  return coalesce(
    (select v.settings from dba.configversion v
      where v.job = of_job and v.config_name = of_config
        and v.version = coalesce(of_version, (select c.version from dba.jobconfig c where c.job = of_job and c.config_name = of_config))),
    dba.present_settings(of_job, of_config));
end
$$;
comment on function dba.settings_of(text, text, integer) is 'A row of a settings table with the rows beside it, as they were in that version (null: as they are): select dba.settings_of(''import'', ''prices'', 3).';

create function dba.present_settings(of_job text, of_config text)
returns jsonb
language plpgsql
stable
as $$
declare
  settings_table constant text := (select j.config_table from dba.job j where j.job = of_job);
  settings jsonb;
  beside text;
  rows_beside jsonb;
begin
  if settings_table is null then
    return '{}';
  end if;
  execute format('select to_jsonb(c) from dba.%I c where c.config_name = $1', settings_table) into settings using of_config;
  if settings is null then
    return null;
  end if;
  for beside in
    select c.relname
    from pg_constraint k
    join pg_class c on c.oid = k.conrelid
    join pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum] and a.attname = 'config_name'
    where k.contype = 'f' and k.confrelid = format('dba.%I', settings_table)::regclass
    order by 1
  loop
    execute format('select coalesce(jsonb_agg(to_jsonb(b) - ''config_name'' - $2 order by b), ''[]'') from dba.%I b where b.config_name = $1', beside)
    into rows_beside using of_config, dba.kept_columns(beside);
    settings := settings || jsonb_build_object(beside, rows_beside);
  end loop;
  return settings;
end
$$;
comment on function dba.present_settings(text, text) is 'A row of a settings table, and under the name of each table whose config_name refers to it, a list of its rows there. Null when there is no such row, {} when the job has no settings table.';

-- With the rights of the owner: people do not write versions.
create function dba.save_config_version()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  of_job constant text := tg_argv[0];
  settings jsonb;
begin
  if tg_op = 'UPDATE' and (new.config_name, new.version) = (old.config_name, old.version) then
    return null;
  end if;
  settings := dba.present_settings(of_job, new.config_name);
  if settings is not null then
    -- A config of this name may have been there before, deleted since, and counted from 1 as well.
    insert into dba.configversion as v (job, config_name, version, settings)
    values (of_job, new.config_name, (settings ->> 'version')::integer, settings)
    on conflict (job, config_name, version) do update set settings = excluded.settings, saved_at = excluded.saved_at
    where v.settings is distinct from excluded.settings;
  end if;
  return null;
end
$$;
comment on function dba.save_config_version() is 'Deferred trigger of settings tables: keeps each version that a transaction leaves behind.';

create function dba.forget_config_versions()
returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  with forgotten as (
    delete from dba.configversion v
    -- By when the next one came: until then it was in force.
    where exists (
        select from dba.configversion later
        where (later.job, later.config_name) = (v.job, v.config_name) and later.version > v.version
          and later.saved_at < clock_timestamp() - coalesce((select t.value::interval from dba.setting t where t.name = 'retention_configversion'), interval '400 days'))
      and not exists (select from dba.run r where (r.job, r.config_name, r.config_version) = (v.job, v.config_name, v.version))
      and not exists (select from dba.jobconfig c where (c.job, c.config_name, c.version) = (v.job, v.config_name, v.version))
    returning 1
  )
  select count(*) from forgotten
$$;
comment on function dba.forget_config_versions() is 'Takes former versions of configs out of dba.configversion that are older than dba.setting.retention_configversion and that no run in dba.run names; returns how many.';

-- Another row beside a config is another version of it: its schedules are answered anew. With the rights of the owner, who keeps the version.
create function dba.count_up_version()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  of_table constant text := tg_argv[0];
  of_column constant text := tg_argv[1];
begin
  execute format('update dba.%I set version = version + 1 where %I in ($1, $2)', of_table, of_column)
  using case when tg_op <> 'DELETE' then to_jsonb(new) ->> of_column end, case when tg_op <> 'INSERT' then to_jsonb(old) ->> of_column end;
  return null;
end
$$;
comment on function dba.count_up_version() is 'AFTER trigger of tables beside another one: what is changed there is another version of the row that it belongs to.';

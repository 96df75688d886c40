-- The roles of Rota, for the whole Postgres server. `rota migrate` runs this file first, as the login it was given; it may run any number of times.
-- That login must be a superuser or have CREATEROLE. Logins get their passwords from `rota migrate`, never from this file.
do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      ('rota_owner',    false, 'Owns schema dba. Nobody logs in as it.'),
      ('rota_worker',   false, 'What a worker becomes when it connects: writes the ledger, the answers and the log.'),
      ('rota_target',   false, 'Owns the tables that data is loaded into.'),
      ('rota_query',    true,  'Login for queries that people wrote (reports). Reads only.'),
      ('rota_job',      true,  'Login for statements that people wrote (job sql). Reads and writes rows of targets, cannot touch the control plane.'),
      ('rota_dba',      true,  'Writes what people write: schedules, configs, lanes, calendars, connections.'),
      ('rota_operator', true,  'Requests, cancels, pauses and acknowledges. Cannot say what a job does.'),
      ('rota_reader',   true,  'Reads every table and view that people read.')
    ) as r (role_name, can_login, remark)
  loop
    if not exists (select from pg_roles where rolname = wanted.role_name) then
      execute format('create role %I %s', wanted.role_name, case when wanted.can_login then 'login' else 'nologin' end);
      execute format('comment on role %I is %L', wanted.role_name, wanted.remark);
    end if;
  end loop;
end
$$;

-- Whoever migrates must be able to become the owner, and a worker's login to become rota_worker.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['rota_owner', 'rota_worker', 'rota_target', 'rota_dba'] loop
    if not pg_has_role(session_user, wanted, 'usage') then
      execute format('grant %I to %I', wanted, session_user);
    end if;
  end loop;
end
$$;

do $$
declare
  given record;
begin
  for given in
    select *
    from (values
      ('rota_target', 'rota_worker'),
      ('rota_target', 'rota_dba'),
      ('rota_reader', 'rota_worker'),
      ('rota_reader', 'rota_operator'),
      ('rota_reader', 'rota_dba'),
      ('rota_operator', 'rota_dba')
    ) as g (granted, member)
  loop
    if not pg_has_role(given.member, given.granted, 'member') then
      execute format('grant %I to %I', given.granted, given.member);
    end if;
  end loop;
end
$$;

-- The database of this connection: rota_dba and rota_target make schemas, and tables in public; nobody else does.
do $$
begin
  execute format('grant connect, temporary on database %I to rota_worker, rota_query, rota_job, rota_dba, rota_operator, rota_reader', current_database());
  execute format('grant create on database %I to rota_owner, rota_worker, rota_target, rota_dba', current_database());
end
$$;
grant usage, create on schema public to rota_target, rota_dba, rota_job;
grant usage on schema public to rota_query, rota_reader;

-- What a DBA makes, the loader may fill; what the loader makes, a DBA owns through rota_target. Statements that people wrote work on both, and
-- own neither: whoever owns a target could hang a trigger on it, which the loader would then carry out with the rights of a worker.
alter default privileges for role rota_dba grant usage, create on schemas to rota_target;
alter default privileges for role rota_dba grant all on tables to rota_target;
alter default privileges for role rota_dba grant all on sequences to rota_target;
alter default privileges for role rota_dba grant usage on schemas to rota_job, rota_query;
alter default privileges for role rota_dba grant select, insert, update, delete, truncate on tables to rota_job;
alter default privileges for role rota_dba grant usage on sequences to rota_job;
alter default privileges for role rota_dba grant select on tables to rota_query;
alter default privileges for role rota_target grant usage on schemas to rota_job, rota_query;
alter default privileges for role rota_target grant select, insert, update, delete, truncate on tables to rota_job;
alter default privileges for role rota_target grant usage on sequences to rota_job;
alter default privileges for role rota_target grant select on tables to rota_query;

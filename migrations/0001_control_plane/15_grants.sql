-- Rights. Tables that people write got theirs in 08_people_tables.sql; where a trigger can refuse in words, the table is granted whole.

grant usage on schema dba to rota_reader, rota_worker, rota_target, rota_query, rota_job;
revoke execute on all functions in schema dba from public;
grant execute on all functions in schema dba to rota_reader, rota_worker;
revoke execute on function dba.adopt_home(), dba.make_log_partitions(integer), dba.refresh_timezones(),
  dba.adopt_people_table(text, text, boolean), dba.adopt_config_table(text) from rota_reader;
revoke execute on function dba.forget_config_versions() from rota_reader;
grant execute on function dba.adopt_home(), dba.forget_config_versions() to rota_dba;
revoke execute on function dba.ask_for_check(text), dba.write_backfill(bigint, jsonb, text) from rota_reader;
grant execute on function dba.ask_for_check(text), dba.write_backfill(bigint, jsonb, text) to rota_operator;

grant select on dba.migration, dba.timezone, dba.job, dba.jobconfig, dba.configversion, dba.plan, dba.run, dba.attempt, dba.logentry, dba.worker,
  dba.bookmark, dba.bookmarkhistory, dba.datasource, dba.datasettype, dba.configaudit, dba.next_run, dba.recent_run, dba.run_log, dba.schedule_health, dba.problem
  to rota_reader;

grant insert, update, delete on dba.run, dba.attempt, dba.logentry, dba.worker, dba.plan, dba.bookmark, dba.bookmarkhistory,
  dba.datasource, dba.datasettype, dba.timezone
  to rota_worker;
grant select, insert, update, delete on dba.secret to rota_worker;

grant insert, update, delete on dba.run to rota_operator;
grant update on dba.scheduler, dba.lane to rota_operator;
grant update on dba.file, dba.reject to rota_operator;
grant insert, update, delete on dba.bookmark to rota_dba;
grant insert, update on dba.datasource, dba.datasettype to rota_dba;
grant update (max_running) on dba.job to rota_dba;

-- The target's foreign key to its dataset.
grant references on dba.dataset to rota_target;
grant select on dba.dataset to rota_target;

-- What people ask of a config rather than of a schedule: one file, or what one file would do.

create table dba.dryrun (
  dryrun_id        bigint       primary key generated always as identity,
  run_id           uuid,
  config_name      text         not null,
  file             text         not null,
  state            text         not null default 'requested',
  message          text,
  target_table     text,
  is_target_new    boolean,
  label            text,
  dataset_date     date,
  columns_to_add   jsonb,
  columns_ignored  text[],
  columns_missing  text[],
  ddl              text,
  rows_read        bigint,
  rows_insert      bigint,
  rows_update      bigint,
  rows_skip        bigint,
  rows_delete      bigint,
  rows_reject      bigint,
  requested_at     timestamptz  not null default clock_timestamp(),
  requested_by     text         not null default session_user,
  finished_at      timestamptz,
  constraint dryrun_state_is_a_known_word check (state in ('requested', 'running', 'done', 'failed'))
);
comment on table dba.dryrun is 'What a file would do, without doing it: select dba.request_dry_run(''prices'', ''monday.xlsx'') returns the dryrun_id to look at here and in dba.dryrunrow.';
comment on column dba.dryrun.dryrun_id is 'Number of the request.';
comment on column dba.dryrun.run_id is 'The run that answers it.';
comment on column dba.dryrun.config_name is 'Row of dba.importconfig.';
comment on column dba.dryrun.file is 'The file: absolute, or below the data folder.';
comment on column dba.dryrun.state is 'requested, running, done, or failed: the load would fail, message says why.';
comment on column dba.dryrun.message is 'The answer in words.';
comment on column dba.dryrun.target_table is 'Where the rows would go.';
comment on column dba.dryrun.is_target_new is 'True: the table would be made.';
comment on column dba.dryrun.label is 'Label that the dataset would have.';
comment on column dba.dryrun.dataset_date is 'Business date that it would have.';
comment on column dba.dryrun.columns_to_add is 'Columns that the target would get.';
comment on column dba.dryrun.columns_ignored is 'Columns of the file that would be left out.';
comment on column dba.dryrun.columns_missing is 'Columns of the target that the file lacks.';
comment on column dba.dryrun.ddl is 'Statements by which the target would change.';
comment on column dba.dryrun.rows_read is 'Rows that the file has.';
comment on column dba.dryrun.rows_insert is 'Rows that would be added.';
comment on column dba.dryrun.rows_update is 'Rows that would be overwritten.';
comment on column dba.dryrun.rows_skip is 'Rows that are there already.';
comment on column dba.dryrun.rows_delete is 'Rows of former datasets that would leave.';
comment on column dba.dryrun.rows_reject is 'Rows that would be refused.';
comment on column dba.dryrun.requested_at is 'When it was asked for.';
comment on column dba.dryrun.requested_by is 'Who asked.';
comment on column dba.dryrun.finished_at is 'When it was answered.';
comment on constraint dryrun_state_is_a_known_word on dba.dryrun is 'Set by Rota.';
create index dryrun_by_config on dba.dryrun (config_name, dryrun_id);

create table dba.dryrunrow (
  row_id       bigint  primary key generated always as identity,
  dryrun_id    bigint  not null references dba.dryrun (dryrun_id) on delete cascade,
  kind         text    not null,
  sheet        text,
  line         bigint,
  data         jsonb,
  former       jsonb,
  column_name  text,
  rule         text,
  message      text,
  constraint dryrunrow_kind_is_a_known_word check (kind in ('insert', 'update', 'skip', 'delete', 'reject'))
);
comment on table dba.dryrunrow is 'Samples of what a file would do, up to twenty of each kind: select * from dba.dryrunrow where dryrun_id = 17.';
comment on column dba.dryrunrow.row_id is 'Order of the samples.';
comment on column dba.dryrunrow.dryrun_id is 'The request.';
comment on column dba.dryrunrow.kind is 'insert, update, skip (it is there already), delete or reject.';
comment on column dba.dryrunrow.sheet is 'Sheet of the workbook.';
comment on column dba.dryrunrow.line is 'Line of the file, from 1.';
comment on column dba.dryrunrow.data is 'The row as it would be; of a refused one as it came.';
comment on column dba.dryrunrow.former is 'For update: the row as it is.';
comment on column dba.dryrunrow.column_name is 'For reject: the column that does not fit.';
comment on column dba.dryrunrow.rule is 'For reject: the rule it breaks.';
comment on column dba.dryrunrow.message is 'In words.';
comment on constraint dryrunrow_dryrun_id_fkey on dba.dryrunrow is 'Set by Rota.';
comment on constraint dryrunrow_kind_is_a_known_word on dba.dryrunrow is 'Set by Rota.';
create index dryrunrow_by_dryrun on dba.dryrunrow (dryrun_id, row_id);

grant select on dba.dryrun, dba.dryrunrow to rota_reader;
grant insert, update, delete on dba.dryrun, dba.dryrunrow to rota_worker;

create function dba.request_import(config text, file text, reason text default null)
returns uuid
language plpgsql
as $$
begin
  perform dba.require_operator('ask for imports');
  return dba.write_request(config, dba.file_of_request(config, file), false, reason);
end
$$;
comment on function dba.request_import(text, text, text) is 'Loads one file by a config now: select dba.request_import(''prices'', ''monday.xlsx''). A bare name lies in source_folder; any other place only for rota_dba. Returns the run.';

create function dba.request_dry_run(config text, file text)
returns bigint
language plpgsql
as $$
declare
  new_run uuid;
begin
  perform dba.require_operator('ask for dry runs');
  new_run := dba.write_request(config, dba.file_of_request(config, file), true, 'dry run');
  return (select d.dryrun_id from dba.dryrun d where d.run_id = new_run);
end
$$;
comment on function dba.request_dry_run(text, text) is 'What a file would do, nothing written: select dba.request_dry_run(''prices'', ''monday.xlsx'') returns the dryrun_id; in a moment select * from dba.dryrun and dba.dryrunrow where dryrun_id = ….';

create function dba.file_of_request(config text, file text)
returns text
language plpgsql
stable
as $$
declare
  folder text;
  found_file text;
begin
  perform dba.require_importconfig(coalesce(config, ''));
  select rtrim(c.source_folder, '/') into folder from dba.importconfig c where c.config_name = config;
  if btrim(coalesce(file, '')) = '' or file ~ '[[:cntrl:]]' then
    perform dba.refuse('the request names no file', format('Write a name in %s/, an absolute path, or one below the data folder.', folder));
  end if;
  found_file := case when file ~ '[/\\]' then file else folder || '/' || file end;
  perform dba.keep_operator_inside(current_user, config, found_file);
  return found_file;
end
$$;
comment on function dba.file_of_request(text, text) is 'The path that a request means; refuses an unknown config, and to an operator what lies outside its source_folder.';

create function dba.keep_operator_inside(who name, config text, file text)
returns void
language plpgsql
stable
as $$
declare
  folder constant text := (select rtrim(c.source_folder, '/') || '/' from dba.importconfig c where c.config_name = config);
begin
  if not pg_has_role(who, 'rota_dba', 'member') and (not coalesce(starts_with(file, folder), false) or file ~ '(^|[/\\])[.][.]([/\\]|$)') then
    perform dba.refuse(format('an operator may not have files loaded from outside %s', folder), 'Put the file there, or ask someone with role rota_dba.', null, '42501');
  end if;
end
$$;
comment on function dba.keep_operator_inside(name, text, text) is 'Refuses a file outside the source_folder of the config to whoever is not a rota_dba: who says what is read says what the job does.';

-- Rests on the right to execute it, given to rota_operator below; it asks for what the config says and nothing else, and judges the file again.
create function dba.write_request(config text, file text, is_dry boolean, reason text)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  new_run constant uuid := gen_random_uuid();
  of_dryrun bigint;
begin
  -- Here the caller is the session: the function itself acts as the owner.
  perform dba.keep_operator_inside(session_user, config, write_request.file);
  if is_dry then
    insert into dba.dryrun (run_id, config_name, file) values (new_run, config, write_request.file) returning dryrun_id into of_dryrun;
  end if;
  return dba.write_request_run('import', config,
    jsonb_build_object('file', write_request.file) || case when is_dry then jsonb_build_object('dry_run', true, 'dryrun_id', of_dryrun) else '{}' end,
    reason, new_run);
end
$$;
comment on function dba.write_request(text, text, boolean, text) is 'Writes the run of a request. People call dba.request_import and dba.request_dry_run.';

-- A run that ends without an answer is one.
create function dba.dry_run_ended()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.dryrun d
  set state = 'failed', finished_at = clock_timestamp(),
      message = coalesce(nullif(replace(concat_ws('. ', rtrim(new.error_message, '.'), rtrim(new.error_detail, '.'), new.error_hint), ';. ', '; '), ''), new.reason, format('the run was %s', new.state))
  where d.dryrun_id = (new.args ->> 'dryrun_id')::bigint and d.state in ('requested', 'running');
  return null;
end
$$;
comment on function dba.dry_run_ended() is 'AFTER trigger of dba.run: a dry run that could not be carried out says why.';
create trigger dry_run_ended after update on dba.run for each row
  when (new.state <> old.state and new.state in ('failed', 'cancelled', 'skipped', 'missed') and new.args ? 'dryrun_id') execute function dba.dry_run_ended();

-- The schedule that carries requests goes with its config, and takes its name along.
create function dba.request_schedule_follows()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    delete from dba.scheduler where job = 'import' and config_name = old.config_name and generated_by = 'requests for dba.importconfig';
    return old;
  end if;
  update dba.scheduler set schedule_name = left(new.config_name, 180) || ' (on request)'
  where job = 'import' and config_name = new.config_name and generated_by = 'requests for dba.importconfig';
  update dba.dryrun set config_name = new.config_name where config_name = old.config_name;
  return null;
end
$$;
comment on function dba.request_schedule_follows() is 'Trigger of dba.importconfig: the schedule of its requests is renamed and deleted with it.';
create trigger forget_request_schedule before delete on dba.importconfig for each row execute function dba.request_schedule_follows();
create trigger rename_request_schedule after update of config_name on dba.importconfig for each row
  when (new.config_name <> old.config_name) execute function dba.request_schedule_follows();

revoke execute on function dba.write_request(text, text, boolean, text), dba.move_rows(regclass, regclass, text[], text, bigint, text, text[]) from rota_reader;
grant execute on function dba.write_request(text, text, boolean, text) to rota_operator;
grant execute on function dba.move_rows(regclass, regclass, text[], text, bigint, text, text[]) to rota_dba;

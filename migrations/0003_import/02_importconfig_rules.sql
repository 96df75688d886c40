-- What is judged and filled in when a row of dba.importconfig is written.

create function dba.importconfig_rules()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    new.datasource := coalesce(new.datasource, new.config_name);
    new.archive_folder := coalesce(new.archive_folder, 'archive/' || dba.folder_name(new.config_name));
    new.failed_folder := coalesce(new.failed_folder, 'failed/' || dba.folder_name(new.config_name));
  end if;
  -- The CHECKs say the same; here the refusal comes without their whole text behind it.
  if new.pattern_kind = 'regex' then
    perform dba.check_regex(new.file_pattern, 'file_pattern');
  elsif new.file_pattern is not null then
    perform dba.check_glob(new.file_pattern);
  end if;
  if new.label_from = 'static' then
    new.label_spec := nullif(new.label_spec, '');
  end if;
  if new.date_from = 'static' then
    new.date_spec := nullif(new.date_spec, '');
  end if;
  if new.label_from in ('filename', 'folder') then
    perform dba.check_regex(new.label_spec, 'label_spec');
  elsif new.label_from in ('mail', 'page') then
    perform dba.check_origin_spec(new.label_from, new.label_spec, 'label_spec');
  end if;
  if new.date_from = 'filename' then
    perform dba.check_regex(new.date_spec, 'date_spec');
  elsif new.date_from in ('mail', 'page') then
    perform dba.check_origin_spec(new.date_from, new.date_spec, 'date_spec');
  end if;
  perform dba.check_regex(new.empty_when, 'empty_when');
  perform dba.check_regex(new.ends_when, 'ends_when');
  if new.member_pattern is not null then
    perform dba.check_member_pattern(new.member_pattern);
  end if;
  perform dba.check_regex(substring(new.sheet from '^/(.+)/$'), 'sheet');
  perform dba.check_cell_range(new.cell_range);
  if new.date_format is not null then
    perform dba.check_date_format(new.date_format, 'day');
    if new.date_from = 'static' and btrim(new.date_spec) <> '' then
      perform dba.check_static_date(new.date_spec, new.date_format);
    end if;
  end if;
  if new.source_zone is not null and not exists (select from dba.timezone where time_zone = new.source_zone) then
    perform dba.refuse(format('source_zone "%s" is not known', new.source_zone),
      coalesce('Did you mean "' || dba.nearest_name(new.source_zone, array(select time_zone from dba.timezone)) || '"? ', '') || 'Write an IANA name such as Europe/Warsaw: select * from dba.timezone.');
  end if;
  perform dba.warn_of_importconfig(new);
  return new;
end
$$;
comment on function dba.importconfig_rules() is 'BEFORE trigger of dba.importconfig: fills in what follows from the name, and refuses unreadable patterns and unknown zones.';

-- What is no mistake by itself, and hardly what was meant.
create function dba.warn_of_importconfig(config dba.importconfig)
returns void
language plpgsql
stable
as $$
declare
  others constant text[] := array(
    select c.config_name
    from dba.importconfig c
    where c.config_name <> config.config_name and c.is_active
      and (rtrim(c.source_folder, '/'), c.file_pattern, c.pattern_kind) = (rtrim(config.source_folder, '/'), config.file_pattern, config.pattern_kind));
begin
  if config.is_active and cardinality(others) > 0 then
    raise warning using
      message = format('config %s takes the files of the same folder and pattern as "%s"', dba.name_list(others), config.config_name),
      hint = 'Each file goes to whichever runs first. Give one of them another folder or pattern, or switch it off: is_active = false.';
  end if;
  if config.key_columns is not null and config.load_mode not in ('upsert', 'append_new') then
    raise warning using
      message = format('key_columns and on_duplicate_key say nothing in load_mode %s', config.load_mode),
      hint = 'They count in upsert and append_new. To have a key looked at in other modes: insert into dba.importcheck (config_name, check_name, kind, column_name) with kind unique.';
  end if;
end
$$;
comment on function dba.warn_of_importconfig(dba.importconfig) is 'Warns, with the write, of two configs for the same files and of a key that is not looked at.';

create function dba.folder_name(name text)
returns text
language sql
immutable
as $$ select regexp_replace(name, '[/\\[:cntrl:]]|^[.]+', '_', 'g') $$;
comment on function dba.folder_name(text) is 'A name as one folder: what would lead elsewhere becomes _.';

create trigger m_importconfig_rules before insert or update on dba.importconfig for each row when (current_user <> 'rota_worker') execute function dba.importconfig_rules();

create function dba.register_dataset_names()
returns trigger
language plpgsql
as $$
begin
  insert into dba.datasource (datasource) values (new.datasource) on conflict do nothing;
  insert into dba.datasettype (datasettype) values (new.datasettype) on conflict do nothing;
  return null;
end
$$;
comment on function dba.register_dataset_names() is 'AFTER trigger of settings tables that load: registers data source and dataset type when they are new.';
create trigger register_dataset_names after insert or update of datasource, datasettype on dba.importconfig for each row execute function dba.register_dataset_names();

select dba.adopt_config_table('import');
